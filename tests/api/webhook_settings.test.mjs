// The settings that say how callbacks are delivered: S25 (which ends are told, where to), C2 and C3
// (what is refused, in which words), and who gets to see secrets. What the sender makes of them its
// own tests show; all answers to all bad values are in tests/unit/test_callback.c.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { before, describe, test } from 'node:test';

import { job as jobBody, serve, studio, temporaryDirectory } from './client.mjs';
import { assertProblem, control } from './control.mjs';
import { receive } from './receiver.mjs';

const DEFAULTS = { callback_timeout: '15s', callback_connect_timeout: '5s', callback_retries: [],
    callback_map: {}, callback_on: ['completed', 'failed', 'cancelled'], webhook_secrets: null };
const GIVEN = { callback_timeout: '2s', callback_connect_timeout: '250ms',
    callback_retries: ['90s', '5m', '2h'],
    callback_map: { 'https://hooks.acme.com': 'http://127.0.0.1:4000', '*': 'http://inbox.test/all' },
    callback_on: ['failed'] };

const secret = (bytes = 32) => `whsec_${randomBytes(bytes).toString('base64')}`;
const shown = (text) => `whsec_…${text.slice(-4)}`;
const part = (settings) => Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, settings[name]]));

let server;

before(async (t) => { server = await serve(t); });

async function workspace(body = {}) {
    const made = await control(server).make({ ...(body.state ? {} : { members: ['*'] }), ...body });
    const prefix = `/w/${made.slug}`;
    const mock = control(server, { prefix });
    return { made, mock, api: studio(server, { prefix, key: made.api_key }),
        state: (query = '') => mock.must(200, 'GET', `/state${query}`) };
}

describe('settings', () => {
    test('without a word they are as the documents have it', async () => {
        const { made, mock } = await workspace();
        assert.deepEqual(part(made.settings), DEFAULTS);
        assert.deepEqual(part(await mock.must(200, 'GET', '/settings')), DEFAULTS);
    });

    test('C1: what is changed is shown, and what is absent stays', async () => {
        const { made, mock } = await workspace({ settings: GIVEN });
        const now = { ...DEFAULTS, ...GIVEN };
        assert.deepEqual(part(made.settings), now);
        assert.deepEqual(part(await mock.set({ callback_retries: 'standard' })),
            { ...now, callback_retries: 'standard' });
        assert.deepEqual(part(await mock.set({ callback_on: [], callback_map: {}, callback_retries: [] })),
            { ...now, callback_on: [], callback_map: {}, callback_retries: [] });
        assert.deepEqual(part(await mock.set({ callback_on: ['cancelled', 'completed', 'cancelled'] })
            ).callback_on, ['completed', 'cancelled'], 'a set');
        assert.deepEqual((await mock.set({ callback_retries: ['60s', '7200000ms', '61s'] }))
            .callback_retries, ['1m', '2h', '61s'], 'the same durations');
        assert.deepEqual((await mock.set({ callback_map: { '*': 'http://inbox.test/a' } })).callback_map,
            { '*': 'http://inbox.test/a' }, 'a map replaces the one before');
        assert.deepEqual(part(await control(server).must(200, 'PATCH', `/workspaces/${made.slug}`,
            { body: { name: 'Other' } }).then(({ settings }) => settings)).callback_timeout, '2s');
    });

    test('PUT of a workspace makes it with them', async () => {
        const made = await control(server).must(201, 'PUT', '/workspaces/with-callbacks',
            { body: { settings: GIVEN } });
        assert.deepEqual(part(made.settings), { ...DEFAULTS, ...GIVEN });
    });

    test('they outlive a restart, secrets too', async (t) => {
        const db = path.join(await temporaryDirectory(t), 'store.db');
        const secrets = [secret(), secret(64)];
        const first = await serve(t, { db });
        await control(first).set({ ...GIVEN, webhook_secrets: secrets });
        await first.stop();
        const own = await serve(t, { db });
        assert.deepEqual(part(await control(own).must(200, 'GET', '/settings')),
            { ...DEFAULTS, ...GIVEN, webhook_secrets: secrets.map(shown) });
        assert.deepEqual((await control(own).must(200, 'GET', '/state?reveal=true')).settings
            .webhook_secrets, secrets);
    });

    for (const [settings, detail, hint] of [
        [{ callback_timeout: 15 }, /^callback_timeout must be a duration with its unit, from 1ms to 10m/],
        [{ callback_timeout: '15' }, /^callback_timeout must be/, /"15" has no unit/],
        [{ callback_connect_timeout: '11m' }, /^callback_connect_timeout must be .* 10m/],
        [{ callback_retries: ['5s', '5'] }, /^callback_retries\[1\] must be a duration/, /"5" has no unit/],
        [{ callback_retries: Array(21).fill('1s') }, /^callback_retries must be a list of at most 20/],
        [{ callback_retries: 'standart' }, /^callback_retries must be .* or "standard"/],
        [{ callback_map: { 'hooks.acme.com': 'http://a.test' } }, /^callback_map .*: not "hooks.acme.com"/],
        [{ callback_map: { '*': 'inbox' } }, /^callback_map .*: not that of "\*"/],
        [{ callback_map: { '*': `http://a.test/${'x'.repeat(2048)}` } }, /^callback_map .* 2047 bytes/],
        [{ callback_on: ['canceled'] }, /^callback_on\[0\] must be completed, failed or/, /"cancelled"/],
        [{ webhook_secret: secret() }, /"webhook_secret"/, /did you mean "webhook_secrets"/],
    ]) {
        test(`C2, C3: ${JSON.stringify(settings).slice(0, 60)} is refused`, async () => {
            const { mock } = await workspace();
            const name = Object.keys(settings)[0] === 'webhook_secret' ? 'unknown_field' : 'invalid_field';
            assertProblem(await mock.send('PATCH', '/settings', { body: settings }), 422, name, detail, hint);
            assert.deepEqual(part(await mock.must(200, 'GET', '/settings')), DEFAULTS);
            const within = new RegExp(`${detail.source.replace('^', '^settings\\.')}`);
            if (name === 'invalid_field')
                assertProblem(await control(server).send('POST', '/workspaces', { body: { settings } }), 422,
                    name, within, hint);
        });
    }
});

describe('which ends are told', () => {
    const owed = async ({ state }) => (await state()).deliveries.length;

    test('S25: of completed, failed and cancelled those that callback_on names', async () => {
        const own = await workspace({ clock: 'manual', settings: { callback_on: ['failed'] } });
        const job = { callback_url: 'http://inbox.test/a' };
        const move = async (to, count) => {
            const { id } = await own.api.newJob(job);
            if (to === 'cancelled') await own.api.cancelJob(id);
            else await own.mock.must(200, 'POST', `/jobs/${id}/transition`, { body: { to } });
            assert.equal(await owed(own), count, to);
        };
        await move('completed', 0);
        await move('cancelled', 0);
        await move('failed', 1);
        await own.mock.set({ callback_on: [] });
        await move('failed', 1);
        await own.mock.set({ callback_on: ['completed', 'cancelled'] });
        await move('failed', 1);
        await move('completed', 2);
        await move('cancelled', 3);
    });
});

describe('where they go', () => {
    test('callback_map: an app\'s own URL leads to the test\'s receiver, what is another\'s does not', async (t) => {
        const [one, all] = [await receive(t), await receive(t)];
        const own = await workspace({ clock: 'manual', settings: { callback_map: {
            'https://hooks.acme.com': `http://${one.host}`, '*': `http://${all.host}/all` } } });
        const send = async (callback_url) => {
            const { id } = await own.api.newJob({ callback_url });
            await own.mock.must(200, 'POST', `/jobs/${id}/transition`, { body: { to: 'completed' } });
        };
        await send('https://hooks.acme.com/exec?a=b');
        await send('https://hooks.acme.com.evil/exec');
        assert.deepEqual((await one.came(1)).map((request) => request.path), ['/exec?a=b']);
        assert.deepEqual((await all.came(1)).map((request) => request.path), ['/all']);
        assert.equal(one.requests[0].headers.host, one.host);
        await own.mock.set({ callback_map: { 'https://hooks.acme.com/exec': all.url } });
        await send('https://hooks.acme.com/exec/2');
        assert.equal((await all.came(2))[1].path, '/hook/2', 'at once');
    });
});

describe('secrets', () => {
    test('of each its end is shown; the whole only by a state that reveals', async () => {
        const secrets = [secret(24), secret(64)];
        const { made, mock, state } = await workspace({ settings: { webhook_secrets: secrets } });
        assert.deepEqual(made.settings.webhook_secrets, secrets.map(shown));
        for (const target of ['/settings', `/workspaces/${made.slug}`, '/workspaces', '/state',
            '/state?reveal=false']) {
            const { text } = await (target.startsWith('/work') ? control(server) : mock).send('GET', target);
            for (const own of secrets)
                assert.ok(!text.includes(own.slice(6, -4)), `${target} shows a secret`);
        }
        assert.deepEqual((await state()).settings.webhook_secrets, [null, null]);
        assert.deepEqual((await state('?reveal=true')).settings.webhook_secrets, secrets);
        assert.deepEqual((await mock.set({ webhook_secrets: null })).webhook_secrets, null);
        assert.ok(!('webhook_secrets' in (await state()).settings));
    });

    test('C2: what is none is refused, and not repeated', async () => {
        const { mock } = await workspace();
        const bad = ['hunter2hunter2', secret(23), secret(65), secret().replace('whsec_', 'whsk_'),
            secret(25).replaceAll('=', ''), ` ${secret()}`];
        for (const webhook_secrets of [...bad.map((text) => [secret(), text]), [], [secret(), secret(), secret()],
            secret(), [null], ['whsec_…abcd']]) {
            const answer = await mock.send('PATCH', '/settings', { body: { webhook_secrets } });
            assertProblem(answer, 422, 'invalid_field', /^webhook_secrets(\[[01]\])? must be .*"whsec_"/);
            assert.ok(!answer.text.includes('hunter2'));
        }
    });

    test('a state that leaves them out keeps those that are there, or says what it misses', async () => {
        const secrets = [secret(), secret()];
        const own = await workspace({ settings: { webhook_secrets: secrets, ...GIVEN } });
        const reveal = async () => (await own.state('?reveal=true')).settings.webhook_secrets;
        const hidden = await own.state();
        const put = (body) => own.mock.send('PUT', '/state', { body });
        assert.equal((await put(hidden)).status, 200);
        assert.deepEqual(await reveal(), secrets);
        assert.deepEqual(part((await workspace({ state: { settings: GIVEN } })).made.settings),
            { ...DEFAULTS, ...GIVEN });
        const third = secret();
        assert.equal((await put({ settings: { webhook_secrets: [third, null] } })).status, 200);
        assert.deepEqual(await reveal(), [third, secrets[1]]);
        assert.equal((await put({ settings: { webhook_secrets: [null] } })).status, 200);
        assert.deepEqual(await reveal(), [third]);
        assertProblem(await put({ settings: { webhook_secrets: [null, null] } }), 422, 'invalid_state',
            /^settings\.webhook_secrets\[1\] has no value/, /Nothing was changed/);
        assert.deepEqual(await reveal(), [third]);
        assert.equal((await put({ settings: {} })).status, 200);
        assert.equal(await reveal(), undefined);
        assertProblem(await control(server).send('POST', '/workspaces',
            { body: { state: { ...hidden, keys: undefined } } }), 422, 'invalid_state',
        /^settings\.webhook_secrets\[0\]/);
    });

    test('a reset brings back what the workspace was made with', async () => {
        const secrets = [secret()];
        const own = await workspace({ settings: { webhook_secrets: secrets } });
        await own.mock.set({ webhook_secrets: [secret(), secret()], callback_retries: 'standard' });
        await own.mock.must(200, 'POST', '/reset');
        const { settings } = await own.state('?reveal=true');
        assert.deepEqual([settings.webhook_secrets, settings.callback_retries], [secrets, undefined]);
    });
});

describe('callbacks of a state', () => {
    test('S6: what no request could ask for no document brings either', async () => {
        const own = await workspace({ settings: { queue_time: '1h' } });
        await own.api.createJob(jobBody({ callback_url: 'https://hooks.acme.com/x',
            callback_headers: { 'X-Key': 'hidden' } }));
        const good = await own.state('?reveal=true');
        for (const [changes, path] of [
            [{ callback_headers: { 'X-Key': 'a\r\nHost: evil' } }, /^jobs\[0\]\.callback_headers /],
            [{ callback_headers: { Host: 'evil' } }, /^jobs\[0\]\.callback_headers /],
            [{ callback_headers: { 'webhook-id': null } }, /^jobs\[0\]\.callback_headers /],
            [{ callback_url: 'file:///etc/passwd' }, /^jobs\[0\]\.callback_url /],
            [{ callback_url: 'http://user:secret@hooks.acme.com/' }, /^jobs\[0\]\.callback_url /],
        ]) {
            const jobs = [{ ...good.jobs[0], ...changes }];
            assertProblem(await own.mock.send('PUT', '/state', { body: { ...good, jobs } }), 422,
                'invalid_state', path);
        }
        assert.deepEqual(await own.state('?reveal=true'), good);
    });
});
