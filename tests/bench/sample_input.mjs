/*
 * An input that a function takes, made from what the host says of it (/_edge/openapi.json): what is required and no more.
 */
const BY_FORMAT = {
    uuid: '5b0f8a52-3c1d-4c62-9a77-0d6f0f9b7e11', email: 'kim@example.com', uri: 'https://example.com/', date: '2026-03-10', 'date-time': '2026-03-10T12:00:00Z',
};

function text({ format, minLength = 1 }) {
    return BY_FORMAT[format] ?? 'sample text'.padEnd(minLength, '.');
}

function value(schema) {
    if (schema.enum) return schema.enum[0];
    switch ([schema.type].flat()[0]) {
        case 'string': return text(schema);
        case 'integer': case 'number': return schema.minimum ?? 1;
        case 'boolean': return true;
        case 'array': return Array.from({ length: schema.minItems ?? 0 }, () => value(schema.items ?? { type: 'string' }));
        default: return sampleInput(schema);
    }
}

/* Of alternatives the first one is taken. */
export function sampleInput(schema) {
    const names = [...(schema.required ?? []), ...(schema.allOf ?? []).flatMap(({ anyOf }) => anyOf?.[0].required ?? [])];
    return Object.fromEntries(names.map((name) => [name, value(schema.properties[name])]));
}

/* { function: input } of all functions that take JSON. */
export async function sampleInputs(host) {
    const { paths } = await (await fetch(`${host.url}/_edge/openapi.json`)).json();
    return Object.fromEntries(Object.entries(paths).map(([path, { post }]) => {
        const schema = post?.requestBody?.content['application/json']?.schema;
        return [path.split('/').at(-1), schema ? sampleInput(schema) : {}];
    }));
}
