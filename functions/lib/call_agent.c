/*
 * The user, as a calling agent speaks of them.
 */
#include "lib/call_agent.h"

#include "lib/voice.h"

const edge_field call_agent_fields[] = {
    { "agent_name", EDGE_TEXT, .max = 200 },
    { "agent_last_name", EDGE_TEXT, .max = 200 },
    { "agent_full_name", EDGE_TEXT, .max = 200 },
    { "brokerage", EDGE_TEXT, .max = 200 },
    { "area", EDGE_TEXT, .max = 200 },
    { "agent_phone", EDGE_TEXT, .max = 200 },
    { 0 },
};

static const char *agent_name(edge_ctx *ctx, const json_t *agent)
{
    const char *full = edge_json_text(agent, "agent_full_name");
    const char *first = edge_json_text(agent, "agent_name"), *last = edge_json_text(agent, "agent_last_name");
    if (full != NULL && full[0] != '\0')
        return full;
    if (first == NULL || first[0] == '\0' || last == NULL || last[0] == '\0')
        return first != NULL && first[0] != '\0' ? first : last;
    return edge_format(ctx, "%s %s", first, last);
}

void call_agent_add_variables(
    edge_ctx *ctx, const json_t *agent_data, const char *own_number, json_t *variables)
{
    const char *phone = edge_json_text(agent_data, "agent_phone");
    voice_set(variables, "agent_full_name", agent_name(ctx, agent_data));
    voice_set(variables, "agent_phone_number", phone != NULL && phone[0] != '\0' ? phone : own_number);
    voice_set(variables, "brokerage", edge_json_text(agent_data, "brokerage"));
    voice_set(variables, "primary_market", edge_json_text(agent_data, "area"));
}
