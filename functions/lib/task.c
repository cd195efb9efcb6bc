/*
 * Tasks in answers.
 */
#include "lib/task.h"

const char *const task_statuses[] = { "pending", "not_started", "in_progress", "completed", "skipped", NULL };

static const edge_field task_fields[] = {
    { "id", EDGE_UUID, .required = true, .help = "The task" },
    { "user_id", EDGE_TEXT, .required = true, .help = "Whose it is" },
    { "title", EDGE_TEXT, .required = true, .help = "What is to be done" },
    { "description", EDGE_TEXT, .help = "Details" },
    { "category", EDGE_TEXT, .required = true, .help = "As power_hour" },
    { "priority", EDGE_TEXT, .help = "How urgent: low, medium, high" },
    { "status", EDGE_ENUM, .values = task_statuses, .required = true, .help = "How far it is" },
    { "due_date", EDGE_DATE, .required = true, .help = "By when" },
    { "scheduled_time", EDGE_CLOCK, .help = "Time of the day" },
    { "duration_minutes", EDGE_INT, .help = "How long" },
    { "completed_at", EDGE_DATETIME, .help = "When it was done first; null: it is not" },
    { "created_at", EDGE_DATETIME, .help = "When it was entered" },
    { "updated_at", EDGE_DATETIME, .help = "When it was changed last" },
    { 0 },
};

const edge_field task_output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "data", EDGE_OBJECT, .fields = task_fields, .required = true, .help = "The task as it is now" },
    { 0 },
};
