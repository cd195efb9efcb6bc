/*
 * The table of the chat agents' tools.
 */
#include "lib/tools.h"

#define GOOGLE "Google Workspace"
#define MICROSOFT "Microsoft 365"
#define META "Facebook/Instagram"
#define LINKEDIN "LinkedIn"
#define LOFTY "Lofty CRM"
#define FOLLOW_UP_BOSS "Follow Up Boss"
#define SKYSLOPE "SkySlope"

enum {
    RESEARCH_MS = 60000,
    SLOW_MS = 120000,
};

#define MAIL_PARAMETERS                                                                                        \
    {                                                                                                          \
        { "to", TOOL_TEXT, true, .help = "Recipient's e-mail address" },                                       \
            { "subject", TOOL_TEXT, true, .help = "Subject line" },                                            \
            { "body", TOOL_TEXT, true, .help = "The message; HTML is allowed" },                               \
            { "cc", TOOL_TEXT, false, .help = "Copies: e-mail addresses separated by commas" },                \
            { "bcc", TOOL_TEXT, false, .help = "Blind copies: e-mail addresses separated by commas" },         \
    }

static const struct tool assistant[] = {
    { .name = "sendGoogleEmail",
        .function = "sendGoogleEmailTool",
        .purpose = "Sends an e-mail from the user's Gmail account",
        .integration = GOOGLE,
        .permission = "executive_assistant.send_email",
        .parameters = MAIL_PARAMETERS },
    { .name = "sendOutlookEmail",
        .function = "sendOutlookEmailTool",
        .purpose = "Sends an e-mail from the user's Outlook (Microsoft 365) account",
        .integration = MICROSOFT,
        .permission = "executive_assistant.send_email",
        .parameters = MAIL_PARAMETERS },
    { .name = "scheduleGoogleCalendarEvent",
        .function = "scheduleGoogleCalendarEventTool",
        .purpose = "Creates an event in the user's Google calendar",
        .integration = GOOGLE,
        .permission = "executive_assistant.schedule_appointment",
        .parameters = { { "title", TOOL_TEXT, true, .help = "Title of the event" },
            { "startTime", TOOL_TEXT, true, .help = "Start, ISO 8601 with offset" },
            { "endTime", TOOL_TEXT, true, .help = "End, ISO 8601 with offset" },
            { "description", TOOL_TEXT, false, .help = "What it is about" },
            { "attendees", TOOL_TEXT, false, .help = "E-mail addresses of those invited, separated by commas" },
            { "location", TOOL_TEXT, false, .help = "Where it takes place" } } },
    { .name = "findAvailableTimeSlots",
        .function = "findAvailableTimeSlotsTool",
        .purpose = "Finds free times in the calendars of the user and of attendees",
        .integration = GOOGLE,
        .parameters = { { "startDate", TOOL_TEXT, true,
                            .help = "Where to begin looking, ISO 8601 with offset" },
            { "endDate", TOOL_TEXT, true, .help = "Where to stop looking, ISO 8601 with offset" },
            { "duration", TOOL_NUMBER, false, .help = "Minutes that are needed; 60 when left out" },
            { "attendees", TOOL_TEXT, false,
                .help = "E-mail addresses of those who have to be free as well, separated by commas" } } },
    { .name = "createGoogleDriveFolder",
        .function = "createGoogleDriveFolderTool",
        .purpose = "Creates a folder in the user's Google Drive",
        .integration = GOOGLE,
        .parameters = { { "folderName", TOOL_TEXT, true, .help = "Name of the folder" },
            { "parentFolderId", TOOL_TEXT, false,
                .help = "Id of the folder to put it in; the top when left out" } } },
    { .name = "createGoogleDoc",
        .function = "createGoogleDocTool",
        .purpose = "Creates a Google document",
        .integration = GOOGLE,
        .parameters = { { "title", TOOL_TEXT, true, .help = "Title of the document" },
            { "content", TOOL_TEXT, false, .help = "Its text" } } },
    { .name = "createGoogleSheet",
        .function = "createGoogleSheetTool",
        .purpose = "Creates a Google spreadsheet",
        .integration = GOOGLE,
        .parameters = { { "title", TOOL_TEXT, true, .help = "Title of the spreadsheet" },
            { "headers", TOOL_TEXTS, false, .help = "Headings of the columns" },
            { "data", TOOL_ROWS, false, .help = "Rows, each an array of its cells" } } },
    { .name = "researchAndSummarize",
        .function = "researchAndSummarizeTool",
        .purpose = "Summarises what is known about a topic; does not search the web",
        .timeout_ms = RESEARCH_MS,
        .parameters = { { "query", TOOL_TEXT, true, .help = "The topic or question" },
            { "focus", TOOL_TEXT, false, .help = "The angle that matters" } } },
};

static const char *const periods[] = { "day", "week", "month", NULL };

static const struct tool content[] = {
    { .name = "publishFacebookPost",
        .function = "publishFacebookPostTool",
        .purpose = "Publishes a post on the user's Facebook Page, now",
        .integration = META,
        .permission = "content_agent.schedule_content",
        .parameters = { { "content", TOOL_TEXT, true, .help = "Text of the post" },
            { "link", TOOL_TEXT, false, .help = "URL to share" },
            { "imageUrl", TOOL_TEXT, false, .help = "https URL of an image" } } },
    { .name = "publishInstagramPost",
        .function = "publishInstagramPostTool",
        .purpose = "Publishes a post on the user's Instagram business account, now",
        .integration = META,
        .permission = "content_agent.schedule_content",
        .parameters = { { "caption", TOOL_TEXT, true, .help = "Text under the image" },
            { "imageUrl", TOOL_TEXT, true, .help = "https URL of the image" } } },
    { .name = "publishLinkedInPost",
        .function = "publishLinkedInPostTool",
        .purpose = "Publishes a post on the user's LinkedIn profile, now",
        .integration = LINKEDIN,
        .permission = "content_agent.schedule_content",
        .parameters = { { "content", TOOL_TEXT, true, .help = "Text of the post" },
            { "imageUrl", TOOL_TEXT, false, .help = "https URL of an image" },
            { "link", TOOL_TEXT, false, .help = "URL to share; not together with imageUrl" } } },
    { .name = "getFacebookPageInsights",
        .function = "getFacebookPageInsightsTool",
        .purpose = "Reads statistics of the user's Facebook Page",
        .integration = META,
        .parameters = { { "period", TOOL_TEXT, false, .help = "Over what time", .choices = periods },
            { "metrics", TOOL_TEXT, false, .help = "Names of metrics separated by commas" } } },
    { .name = "getInstagramInsights",
        .function = "getInstagramInsightsTool",
        .purpose = "Reads statistics of the user's Instagram account",
        .integration = META,
        .parameters = { { "period", TOOL_TEXT, false, .help = "Over what time", .choices = periods },
            { "metrics", TOOL_TEXT, false, .help = "Names of metrics separated by commas" } } },
    { .name = "generateImage",
        .function = "generateImageTool",
        .purpose = "Makes a marketing image and answers with its URL",
        .permission = "content_agent.generate_content",
        .timeout_ms = SLOW_MS,
        .parameters = { { "prompt", TOOL_TEXT, true, .help = "What the image shows" },
            { "style", TOOL_TEXT, false, .help = "Its style" } } },
};

static const char *const transaction_types[] = { "buyer", "seller", "dual", "lease", NULL };
static const char *const file_types[] = { "buyer", "seller", "dual", "lease", "listing", NULL };
static const char *const statuses[] = { "pending", "active", "under_contract", "closed", "cancelled", NULL };

static const struct tool transactions[] = {
    { .name = "createTransaction",
        .function = "createTransactionTool",
        .purpose = "Creates a transaction record",
        .parameters = { { "propertyAddress", TOOL_TEXT, true, .help = "Address of the property" },
            { "transactionType", TOOL_TEXT, true, .help = "The side that the user represents",
                .choices = transaction_types },
            { "clientName", TOOL_TEXT, true, .help = "Name of the client" },
            { "expectedCloseDate", TOOL_TEXT, false, .help = "YYYY-MM-DD" },
            { "commissionAmount", TOOL_NUMBER, false, .help = "In dollars" } } },
    { .name = "getTransactions",
        .function = "getTransactionsTool",
        .purpose = "Lists the user's transactions",
        .parameters = { { "status", TOOL_TEXT, false, .help = "Only those in this status",
                            .choices = statuses },
            { "limit", TOOL_NUMBER, false, .help = "How many at most", .min = 1, .max = 100 } } },
    { .name = "updateTransaction",
        .function = "updateTransactionTool",
        .purpose = "Changes a transaction",
        .in_order = true,
        .parameters = { { "transactionId", TOOL_TEXT, true, .help = "Id of the transaction" },
            { "status", TOOL_TEXT, false, .help = "Its new status", .choices = statuses },
            { "expectedCloseDate", TOOL_TEXT, false, .help = "YYYY-MM-DD" },
            { "notes", TOOL_TEXT, false, .help = "Added to the notes that are there" } } },
    { .name = "createLoftyTask",
        .function = "createLoftyTaskTool",
        .purpose = "Creates a task in Lofty",
        .integration = LOFTY,
        .permission = "transaction_coordinator.create_task",
        .parameters = { { "title", TOOL_TEXT, true, .help = "What is to be done" },
            { "description", TOOL_TEXT, false, .help = "More about it" },
            { "dueDate", TOOL_TEXT, false, .help = "YYYY-MM-DD" },
            { "contactId", TOOL_TEXT, false, .help = "Id of the contact in Lofty" } } },
    { .name = "createFollowUpBossTask",
        .function = "createFollowUpBossTaskTool",
        .purpose = "Creates a task in Follow Up Boss",
        .integration = FOLLOW_UP_BOSS,
        .permission = "transaction_coordinator.create_task",
        .parameters = { { "title", TOOL_TEXT, true, .help = "What is to be done" },
            { "description", TOOL_TEXT, false, .help = "More about it" },
            { "dueDate", TOOL_TEXT, false, .help = "YYYY-MM-DD" },
            { "personId", TOOL_TEXT, true, .help = "Id of the contact in Follow Up Boss" } } },
    { .name = "createSkySlopeTransaction",
        .function = "createSkySlopeTransactionTool",
        .purpose = "Creates a transaction in SkySlope",
        .integration = SKYSLOPE,
        .parameters = { { "propertyAddress", TOOL_TEXT, true, .help = "street, city, ST zip" },
            { "transactionType", TOOL_TEXT, true, .help = "Kind of the file", .choices = file_types },
            { "clientName", TOOL_TEXT, false, .help = "Name of the client" },
            { "expectedCloseDate", TOOL_TEXT, false, .help = "YYYY-MM-DD" } } },
    { .name = "uploadSkySlopeDocument",
        .function = "uploadSkySlopeDocumentTool",
        .purpose = "Attaches a document to a SkySlope transaction by its URL",
        .integration = SKYSLOPE,
        .timeout_ms = SLOW_MS,
        .in_order = true,
        .parameters = { { "transactionId", TOOL_TEXT, true, .help = "Id of the transaction in SkySlope" },
            { "documentUrl", TOOL_TEXT, true, .help = "https URL of the document" },
            { "documentName", TOOL_TEXT, false, .help = "Name to give it" },
            { "documentType", TOOL_TEXT, false, .help = "What kind of document it is" } } },
    { .name = "getSkySlopeTransactionDetails",
        .function = "getSkySlopeTransactionDetailsTool",
        .purpose = "Reads one SkySlope transaction",
        .integration = SKYSLOPE,
        .parameters = { { "transactionId", TOOL_TEXT, true, .help = "Id of the transaction in SkySlope" } } },
    { .name = "updateSkySlopeTransaction",
        .function = "updateSkySlopeTransactionTool",
        .purpose = "Changes a SkySlope transaction",
        .integration = SKYSLOPE,
        .in_order = true,
        .parameters = { { "transactionId", TOOL_TEXT, true, .help = "Id of the transaction in SkySlope" },
            { "updates", TOOL_OBJECT, true, .help = "Fields and their new values" } } },
    { .name = "listSkySlopeTransactions",
        .function = "listSkySlopeTransactionsTool",
        .purpose = "Lists SkySlope transactions",
        .integration = SKYSLOPE,
        .parameters = { { "status", TOOL_TEXT, false, .help = "Only those in this status" },
            { "limit", TOOL_NUMBER, false, .help = "How many at most" } } },
    { .name = "getSkySlopeChecklistItems",
        .function = "getSkySlopeChecklistItemsTool",
        .purpose = "Reads the checklist of one SkySlope transaction",
        .integration = SKYSLOPE,
        .parameters = { { "transactionId", TOOL_TEXT, true, .help = "Id of the transaction in SkySlope" } } },
};

#define SET(table)                                                                                             \
    {                                                                                                          \
        (table), sizeof(table) / sizeof *(table)                                                               \
    }
const struct toolset tools_assistant = SET(assistant);
const struct toolset tools_content = SET(content);
const struct toolset tools_transactions = SET(transactions);
