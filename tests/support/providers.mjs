/*
 * What a test host knows of the outside providers: each is its stand-in, with keys and account ids that are nobody's. The
 * stand-ins check that they are sent these. A provider without its plugin answers 404.
 */

/* provider: [variable of its address, variables of its keys and account ids] */
const providers = {
    lovable_ai: ['LOVABLE_AI_BASE_URL', 'LOVABLE_API_KEY'],
    openai: ['OPENAI_BASE_URL', 'OPENAI_API_KEY'],
    elevenlabs: [
        'ELEVENLABS_BASE_URL',
        'ELEVENLABS_API_KEY',
        'ELEVEN_LABS_DEFAULT_AGENT_ID',
        'ELEVEN_LABS_BUYER_AGENT_ID',
        'ELEVEN_LABS_SELLER_AGENT_ID',
        'ELEVEN_LABS_DEFAULT_VOICE_ID',
    ],
    twilio: ['TWILIO_BASE_URL', 'TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN'],
    resend: ['RESEND_BASE_URL', 'RESEND_API_KEY'],
    clerk: ['CLERK_BASE_URL', 'CLERK_SECRET_KEY'],
    google_oauth: ['GOOGLE_OAUTH_BASE_URL', 'GOOGLE_WORKSPACE_CLIENT_ID', 'GOOGLE_WORKSPACE_CLIENT_SECRET'],
    google_accounts: ['GOOGLE_ACCOUNTS_BASE_URL'],
    google_apis: ['GOOGLE_APIS_BASE_URL'],
    gmail: ['GMAIL_BASE_URL'],
    google_docs: ['GOOGLE_DOCS_BASE_URL'],
    google_sheets: ['GOOGLE_SHEETS_BASE_URL'],
    microsoft_login: ['MICROSOFT_LOGIN_BASE_URL', 'MICROSOFT_CLIENT_ID', 'MICROSOFT_CLIENT_SECRET'],
    microsoft_graph: ['MICROSOFT_GRAPH_BASE_URL'],
    meta_graph: ['META_GRAPH_BASE_URL', 'META_APP_ID', 'META_APP_SECRET'],
    meta_dialog: ['META_DIALOG_BASE_URL'],
    linkedin_oauth: ['LINKEDIN_OAUTH_BASE_URL', 'LINKEDIN_CLIENT_ID', 'LINKEDIN_CLIENT_SECRET'],
    linkedin_api: ['LINKEDIN_API_BASE_URL'],
    linkedin_upload: ['LINKEDIN_UPLOAD_BASE_URL'],
    zoom: ['ZOOM_BASE_URL', 'ZOOM_CLIENT_ID', 'ZOOM_CLIENT_SECRET'],
    lofty: ['LOFTY_BASE_URL'],
    followupboss: ['FOLLOWUPBOSS_BASE_URL'],
    skyslope: ['SKYSLOPE_BASE_URL', 'SKYSLOPE_CLIENT_ID', 'SKYSLOPE_CLIENT_SECRET'],
    document_fetch: ['DOCUMENT_FETCH_BASE_URL'],
    rapidapi_market: ['RAPIDAPI_MARKET_BASE_URL', 'RAPIDAPI_MARKET_METRICS_API_KEY'],
    external_backend: ['EXTERNAL_BACKEND_BASE_URL', 'EXTERNAL_BACKEND_SERVICE_ROLE_KEY'],
};

const credential = (variable) => `test-${variable.toLowerCase().replaceAll('_', '-')}`;

/* The environment of a host on this port: keys and account ids, and where it serves the stand-ins their addresses. */
export function providerEnvironment(port, standIns) {
    return Object.fromEntries(
        Object.entries(providers).flatMap(([name, [address, ...variables]]) => [
            ...(standIns ? [[address, `http://127.0.0.1:${port}/sandbox/${name}`]] : []),
            ...variables.map((variable) => [variable, credential(variable)]),
        ]),
    );
}

/* What the variable of a key or account id is set to in a test host. */
export { credential };
