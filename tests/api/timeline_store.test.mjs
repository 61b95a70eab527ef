// Timelines of what the journal does not know, and of much: after a restart, with --journal off, of
// jobs that a state document has put there, of 10,000 requests and 10,000 jobs.

import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';

import { inParallel, job, serve, studio, temporaryDirectory } from './client.mjs';
import { control } from './control.mjs';
import { startServer } from '../support/server.mjs';

const brief = ({ kind, from, to, cause, operation, label, status, attempt }) =>
    [kind, ...(kind === 'transition' ? [from, to, cause] : [operation ?? label ?? attempt ?? status])].map(String).join(' ');
const briefs = ({ items }) => items.map(brief);

test('C9: after a restart the store\'s part is there, and it is said what is not known', async (t) => {
    const db = path.join(await temporaryDirectory(t), 'store.db');
    const args = ['--queue-time', '0ms', '--processing-time', '1ms'];
    const first = await startServer({ db, args });
    const mock = control(first);
    await mock.set({ callback_map: { '*': 'http://inbox.test/all' } });
    await mock.must(201, 'POST', '/rules', { body: { label: 'fails', match: {}, times: 1, do: { job: { end: 'failed' } } } });
    const old = (await studio(first).createJob(job({ callback_url: 'https://hooks.acme.com/done' }))).body;
    await mock.must(200, 'POST', '/wait', { body: { until: 'settled', wait: '30s' } });
    const before = await mock.must(200, 'GET', '/timeline');
    assert.deepEqual([before.complete, before.missing], [true, []], 'a new store has no past');
    await first.stop();

    const second = await serve(t, { db, args });
    const read = async (query = '') => control(second).must(200, 'GET', query);
    const kept = ['rule fails', 'transition null queued null', 'transition queued processing timer',
        'transition processing failed timer', 'delivery delivered', 'attempt 1'];
    const own = await read(`/jobs/${old.id}/timeline`);
    assert.deepEqual(briefs(own), kept);
    assert.equal(own.complete, false);
    assert.match(own.missing.join(), /^Requests before the server's start, \d{4}-\S+ \S+ UTC in real time, are not known$/);
    assert.match(own.headline, /failed after \S+: GENERATION_ERROR, .* \(rule [0-9a-f]{12} "fails"\)$/);
    const { cursor } = await read('/timeline');
    const made = (await studio(second).createJob(job())).body;
    const all = await read('/timeline');
    assert.deepEqual(briefs(all).slice(0, kept.length + 2), [...kept, 'request createScenarioJob', 'transition null queued request']);
    assert.equal(all.complete, false);
    assert.equal((await read(`/jobs/${made.id}/timeline`)).complete, true);
    assert.deepEqual(briefs(await read(`/timeline?since=${cursor}`)).slice(0, 1), ['request createScenarioJob']);
    const page = await control(second).send('GET', `/jobs/${old.id}/timeline?format=text`);
    assert.equal(page.headers['content-type'], 'text/plain; charset=utf-8');
    assert.match(page.text, /\n {2}Requests before the server's start, /);
});

test('C9: with --journal off there are jobs, rules and callbacks', async (t) => {
    const server = await serve(t, { args: ['--journal', 'off', '--queue-time', '0ms', '--processing-time', '0ms'] });
    const mock = control(server);
    await mock.set({ callback_map: { '*': 'http://inbox.test/all' } });
    await mock.must(201, 'POST', '/rules', { body: { label: 'sees', match: {} } });
    await mock.must(201, 'POST', '/rules', { body: { label: 'one', match: {}, times: 1, do: { job: { end: 'completed' } } } });
    const { id } = (await studio(server).createJob(job({ callback_url: 'https://hooks.acme.com/done' }))).body;
    await mock.must(200, 'POST', '/wait', { body: { until: 'settled', wait: '30s' } });
    for (const target of ['/timeline', `/jobs/${id}/timeline`]) {
        const timeline = await mock.must(200, 'GET', target);
        assert.deepEqual(briefs(timeline).sort(), ['attempt 1', 'delivery delivered', 'rule one', 'rule sees',
            'transition null queued request', 'transition processing completed timer',
            'transition queued processing timer'], target);
        assert.deepEqual([timeline.complete, timeline.missing], [false,
            ['Requests are not written down: the server was started with --journal off']]);
    }
});

const AT = (seconds) => new Date(Date.UTC(2024, 2, 1, 10, 0, seconds)).toISOString();

/** A state of so many jobs that have ended, a second apart. */
const state = (count) => ({
    clock: { mode: 'manual', now: AT(3 * count) },
    jobs: Array.from({ length: count }, (_, i) => ({ id: `j-${String(i).padStart(6, '0')}`, status: 'failed',
        error_code: 'GENERATION_ERROR', error_message: 'No', user_email: 'jane@acme.com', prompt: 'p',
        base_url: 'http://localhost:3000', created_at: AT(i), started_at: AT(i + 1), completed_at: AT(i + 2) })),
});

test('C9: jobs of a state document are told to be', async (t) => {
    const server = await serve(t, {});
    const { slug } = await control(server).make({ members: ['*@acme.com'], state: state(1) });
    const mock = control(server, { prefix: `/w/${slug}` });
    const expected = ['transition null queued state', 'transition queued processing timer', 'transition processing failed timer'];
    const timeline = await mock.must(200, 'GET', '/timeline');
    assert.deepEqual(briefs(timeline), expected);
    assert.deepEqual([timeline.complete, timeline.headline], [true, `Workspace ${slug}: 0 requests, 1 job (1 failed)`]);
    await mock.must(200, 'PUT', '/state', { body: state(2) });
    assert.equal((await mock.must(200, 'GET', '/timeline')).items.filter(({ cause }) => cause === 'state').length, 2);
    const of = await mock.must(200, 'GET', '/jobs/j-000001/timeline');
    assert.deepEqual(briefs(of), [...expected, 'control replaceState']);
    assert.match(of.items[0].text, /^made, queued \(put there by a state document\)$/);
});

test('C9: 10,000 requests and 10,000 jobs, a thousand at a time, each once, in order', async (t) => {
    const COUNT = 10_000;
    const server = await serve(t, { args: ['--durability', 'process'] });
    const made = await control(server).make({ members: ['*@acme.com'], state: state(COUNT) });
    const mock = control(server, { prefix: `/w/${made.slug}` });
    await mock.must(201, 'POST', '/rules', { body: { label: 'sees', match: {} } });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    t.after(() => agent.destroy());
    const api = studio(server, { key: made.api_key, agent });
    await inParallel(16, Array.from({ length: COUNT + 10 }), (_, i) =>
        api.getJob(`j-${String(i % 100).padStart(6, '0')}`));
    const seen = [];
    let pages = 0;
    let longest = 0;
    for (let since = '0.0'; ; pages += 1) {
        const begun = performance.now();
        const page = await mock.must(200, 'GET', `/timeline?since=${since}`);
        longest = Math.max(longest, performance.now() - begun);
        seen.push(...page.items);
        since = page.cursor;
        assert.ok(page.items.length <= 1000);
        if (!page.items.length) break; // the one before was full
        assert.equal(page.complete, false);
        assert.match(page.missing.join(), /are gone for want of room$/);
        if (page.items.length < 1000) break;
    }
    t.diagnostic(`${pages + 1} pages, the longest ${Math.round(longest)} ms`);
    const count = (kind) => seen.filter((item) => item.kind === kind).length;
    assert.equal(count('transition'), 3 * COUNT);
    assert.ok(count('request') >= COUNT - 50 && count('request') <= COUNT, `${count('request')} requests`);
    assert.equal(new Set(seen.filter(({ request, kind }) => kind === 'request' && request).map(({ request }) => request)).size,
        count('request'));
    assert.equal(new Set(seen.filter(({ kind }) => kind === 'transition').map(({ job: id, to }) => `${id} ${to}`)).size, 3 * COUNT);
    assert.deepEqual(seen.map(({ at }) => at), seen.map(({ at }) => at).sort());
    const begun = performance.now();
    const text = (await mock.send('GET', '/jobs/j-000050/timeline?format=text')).text;
    t.diagnostic(`a job's page in ${Math.round(performance.now() - begun)} ms`);
    assert.equal(text.match(/ request {4}/g).length, COUNT / 100);
});
