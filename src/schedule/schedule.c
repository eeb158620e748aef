#include "schedule.h"

#include "base/error.h"
#include "segment.h"

/* The schedule of one rank in the making. */
typedef struct maker {
  const sr_partition *p;
  sr_route route;
  int rank, team, teams;
  sr_schedule *to;
} maker;

static int around(const maker *m, int64_t team) {
  return (int)((team % m->teams + m->teams) % m->teams);
}

/* The step in which way a block moves from team to team. */
static int stride(sr_route route) {
  return route == SR_ROUTE_DOWN ? -1 : 1;
}

static bool take_all(const maker *m, int team, sr_tokens seen, sr_tokens *tokens) {
  return sr_tokens_both(&m->to->arena, seen, m->p->team_keys.of[team], tokens);
}

/* What of its owner's keys a block has when it is at a team, in each step: [step]. Step 0 has all. */
static bool find_relayed(const maker *m, int team, sr_tokens *content) {
  const int way = stride(m->route);
  sr_tokens seen = {0}; /* by the teams that the block has yet to pass, this one included */
  content[0] = m->p->team_keys.of[team];
  for (int s = m->teams - 1; s > 0; s--) {
    const int last = around(m, team + (int64_t)way * (m->teams - 1 - s)), owner = around(m, team - (int64_t)way * s);
    if (!sr_tokens_any(&m->to->arena, seen, m->p->sees[last], &seen) || !take_all(m, owner, seen, &content[s]))
      return false;
  }
  return true;
}

/* Likewise where blocks come straight from their owners. */
static bool find_direct(const maker *m, int team, sr_tokens *content) {
  content[0] = m->p->team_keys.of[team];
  for (int s = 1; s < m->teams; s++)
    if (!take_all(m, around(m, team - s), m->p->sees[team], &content[s])) return false;
  return true;
}

/* Members of two teams, which have the same heads, deal all tokens with one another. */
static bool pass(const maker *m, sr_tokens tokens, int other, sr_messages *messages) {
  const sr_teams *teams = &m->p->teams;
  if (tokens.n == 0) return true;
  messages->message = sr_arena_take(&m->to->arena, 1, sizeof(sr_message));
  if (!messages->message) return false;
  messages->message[messages->n++] = (sr_message){sr_team_member(teams, other, sr_team_place(teams, m->rank)), tokens};
  return true;
}

/* A member deals tokens with the members of another team: each side takes equal parts of them. */
static bool split(const maker *m, sr_tokens tokens, int other, sr_messages *messages) {
  const sr_teams *teams = &m->p->teams;
  const int members = sr_team_size(teams, m->team), others = sr_team_size(teams, other);
  sr_arena *arena = &m->to->arena;
  sr_tokens part, their_part, shared;
  if (tokens.n == 0) return true;
  messages->message = sr_arena_take(arena, others, sizeof(sr_message));
  if (!messages->message || !sr_tokens_part(arena, tokens, sr_team_place(teams, m->rank), members, SR_SEGMENT, &part))
    return false;
  for (int j = 0; j < others; j++) {
    if (!sr_tokens_part(arena, tokens, j, others, SR_SEGMENT, &their_part) ||
        !sr_tokens_both(arena, part, their_part, &shared))
      return false;
    if (shared.n > 0) messages->message[messages->n++] = (sr_message){sr_team_member(teams, other, j), shared};
  }
  return true;
}

static int buffer_of(const maker *m, int step) {
  if (m->route != SR_ROUTE_DIRECT) return step % 2;
  return step == 0 ? 0 : 1 + (step - 1) % 2;
}

/* content: of this team's blocks, and of the next team's. */
static bool make_step(const maker *m, int s, const sr_tokens *content, const sr_tokens *next_content, sr_step *step) {
  const int way = stride(m->route);
  const bool direct = m->route == SR_ROUTE_DIRECT;
  *step = (sr_step){.owner = around(m, m->team - (int64_t)way * s), .buffer = buffer_of(m, s), .tokens = content[s]};
  if (s == m->teams - 1) return true;
  const int to = around(m, m->team + (int64_t)way * (direct ? s + 1 : 1));
  const int from = around(m, m->team - (int64_t)way * (direct ? s + 1 : 1));
  step->send.buffer = direct ? 0 : step->buffer;
  step->send.layout = direct ? content[0] : content[s];
  step->receive.buffer = buffer_of(m, s + 1);
  step->receive.layout = content[s + 1];
  sr_tokens sent = next_content[s + 1];
  if (direct && !take_all(m, m->team, m->p->sees[to], &sent)) return false;
  if (m->p->problem.by_heads) return pass(m, sent, to, &step->send) && pass(m, content[s + 1], from, &step->receive);
  return split(m, sent, to, &step->send) && split(m, content[s + 1], from, &step->receive);
}

/* Steps in which nothing is done are left out. The messages of a team are those of its members, so that all of these
 * have the same steps. */
static bool is_idle(const maker *m, int s, const sr_tokens *content, const sr_tokens *next_content) {
  if (s == 0 || content[s].n > 0) return false;
  if (s == m->teams - 1) return true;
  if (m->route != SR_ROUTE_DIRECT) return content[s + 1].n == 0 && next_content[s + 1].n == 0;
  sr_tokens sent;
  return content[s + 1].n == 0 && take_all(m, m->team, m->p->sees[around(m, m->team + s + 1)], &sent) && sent.n == 0;
}

static bool make(const maker *m) {
  sr_schedule *to = m->to;
  const bool direct = m->route == SR_ROUTE_DIRECT;
  sr_tokens *content = sr_arena_take(&to->arena, m->teams, sizeof *content);
  sr_tokens *next_content = sr_arena_take(&to->arena, m->teams, sizeof *content);
  to->step = sr_arena_take(&to->arena, m->teams, sizeof *to->step);
  if (!content || !next_content || !to->step) return false;
  if (direct
          ? !find_direct(m, m->team, content)
          : !find_relayed(m, m->team, content) || !find_relayed(m, around(m, m->team + stride(m->route)), next_content))
    return false;
  for (int s = 0; s < m->teams; s++) {
    if (is_idle(m, s, content, next_content)) continue;
    sr_step *step = &to->step[to->n_steps++];
    if (!make_step(m, s, content, next_content, step)) return false;
    if (step->buffer >= to->buffers) to->buffers = step->buffer + 1;
  }
  return true;
}

sr_status sr_schedule_make(const sr_partition *p, sr_route route, int rank, sr_schedule *schedule) {
  *schedule = (sr_schedule){0};
  const maker m = {
      .p = p, .route = route, .rank = rank, .team = p->teams.of[rank], .teams = p->teams.n, .to = schedule};
  if (make(&m)) return SR_OK;
  return sr_fail(SR_ERR_RESOURCE, "no memory for the schedule of %d ranks", p->problem.ranks);
}

void sr_schedule_free(sr_schedule *schedule) {
  sr_arena_free(&schedule->arena);
}

/* Owners whose ways round the ring are compared. */
enum { SAMPLES = 8 };

sr_status sr_route_round(const sr_partition *p, sr_route *route) {
  double tokens[2] = {0, 0};
  const int teams = p->teams.n, samples = teams < SAMPLES ? teams : SAMPLES;
  *route = SR_ROUTE_UP;
  for (int i = 0; i < 2 * samples; i++) {
    sr_schedule scratch = {0};
    const sr_route way = i % 2 ? SR_ROUTE_DOWN : SR_ROUTE_UP;
    const int owner = (int)sr_run_start(teams, samples, i / 2);
    const maker m = {.p = p, .route = way, .teams = teams, .to = &scratch};
    sr_tokens seen = {0}, sent;
    bool ok = true;
    for (int hop = teams - 1; ok && hop > 0; hop--) {
      const int team = around(&m, owner + (int64_t)stride(way) * hop);
      ok = sr_tokens_any(&scratch.arena, seen, p->sees[team], &seen) && take_all(&m, owner, seen, &sent);
      if (ok) tokens[i % 2] += (double)sr_tokens_count(sent);
    }
    sr_schedule_free(&scratch);
    if (!ok) return sr_fail(SR_ERR_RESOURCE, "no memory for the schedule of %d ranks", p->problem.ranks);
  }
  if (tokens[1] < tokens[0]) *route = SR_ROUTE_DOWN;
  return SR_OK;
}
