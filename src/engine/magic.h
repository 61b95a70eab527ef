/*
 * Values that steer a job and pass through an unchanged client: a tag in the address,
 * jane+fail@acme.com, and lines in the prompt or the context, "#mock end=failed queued=1s". Where
 * a workspace's `magic` is off, they are text like any other.
 *
 * A rule counts before a line, a line before a tag, and all before the settings.
 *
 * Tags: +fail (fails with GENERATION_ERROR), +policy (CONTENT_POLICY_VIOLATION), +slow-10m (any
 * duration: it is processed for that long), +hold (stays processing until it is released). ASCII
 * case does not matter. Several may follow each other, each after its own +.
 *
 * Lines: from #mock to the end of the line, which \n, \r or the end of the text is. It stands by
 * itself: white space or the line's end follows it, and no ASCII letter or digit, no _, / and #
 * stands before it ("#mockery" and "http://x/#mock" are none). Words follow, between white space:
 *
 *     end=completed|failed             how it ends
 *     error=CODE                       it fails with this code (S23)
 *     queued=1s, processing=40s        how long it is in each state
 *     polls_queued=2, …processing=3    how many GETs show each state, whatever the time
 *     hold=queued|processing           where it stays until it is released
 *     slug=its-slug                    of the scenario that it makes
 *
 * Within a text the later word counts, between end=completed and error= too; what the prompt does
 * not say, the context does. All functions but the last and magic_is_member() are pure;
 * any thread may call them.
 */
#ifndef UNDERSTUDY_ENGINE_MAGIC_H
#define UNDERSTUDY_ENGINE_MAGIC_H

#include "base/err.h"
#include "engine/plan.h"
#include "engine/workspace.h"

/*
 * Takes the last tag off an address, where it is magic: `email` loses it, and `plan` gets what it
 * says and the plan does not. False, and nothing changed, where there is none.
 */
bool magic_take_tag(char email[EMAIL_SIZE], struct plan *plan);

/*
 * Whether an address is a member's (S8), with its tags or without: one that is itself on the list
 * of members is that member, tags and all; else one that is a member's without its magic tags (a
 * pattern's too) is that one's, and `plan` gets what the tags say and the plan does not; else one
 * that fits a pattern as it is. Any thread.
 */
bool magic_is_member(struct registry *registry, const struct workspace *workspace,
                     const char *email, struct plan *plan);

/*
 * Reads the lines of a text. `plan`, which need not be new, gets what they say, in place of what it
 * said. ERR_INVALID, and `plan` is untouched: a word is wrong; `err` says which and why, to be read
 * after the name of the field.
 */
int magic_read_lines(const char *text, struct plan *plan, struct err *err);

/*
 * What the lines of a prompt and a context say (`context` may be NULL), added to `plan`. Where the
 * prompt has lines, its scenario's name is made from the rest of it: where nothing is left to make
 * one from, the plan fails unless it says how the job ends, and names the scenario as
 * generator_name() does what has no name. A text with a wrong word says nothing. ERR_NO_MEMORY.
 */
int magic_add_lines(const char *prompt, const char *context, struct plan *plan);

/*
 * What is said of a job of the workspace's, whose `magic` is looked at, and whether its address is
 * a member's: `plan` gets what its lines and under these its tags say. ERR_NO_MEMORY. Any thread.
 */
int magic_plan(struct registry *registry, const struct workspace *workspace,
               const struct job_input *input, struct plan *plan, bool *ret_is_member);

#endif
