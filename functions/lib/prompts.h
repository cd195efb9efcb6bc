/*
 * The agents' system prompts: functions/ai/prompts/<name>.txt, compiled in (lib/prompts.cmake).
 *
 * An active row of ai_prompt_configs whose prompt_key is the agent's type replaces the persona's own text; what
 * an operator writes there cannot remove the safety rules, which are always added.
 */
#ifndef LIB_PROMPTS_H
#define LIB_PROMPTS_H

extern const char prompt_copilot[];
extern const char prompt_copilot_advisor[];
extern const char prompt_copilot_strategy[];
extern const char prompt_executive_assistant[];
extern const char prompt_content_agent[];
extern const char prompt_transaction_coordinator[];
extern const char prompt_openai_chat[];
extern const char prompt_role_play[];
extern const char prompt_role_play_coach[];
extern const char prompt_social_post[];
extern const char prompt_research[];
extern const char prompt_safety[];

#endif
