// What is secret stays out of the journal and the log: API keys wherever they come and however they
// are spelled, credentials, and the values of callback headers, whatever the body is otherwise.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { DEFAULT_KEY, DEFAULT_MEMBER, job, makeKey, request } from './client.mjs';
import { control } from './control.mjs';
import { ask, request as message } from './wire.mjs';

const TOKEN = 'correct-horse-battery-staple';
const JOBS = '/rest/v1/scenario-studio/jobs';
const bearer = { Authorization: `Bearer ${DEFAULT_KEY}` };
const last = DEFAULT_KEY.slice(-4);

let server;
let mock;
before(async () => {
    server = await startServer({ args: ['--control-token', TOKEN, '--log-level', 'debug'] });
    mock = control(server, { headers: { Authorization: `Bearer ${TOKEN}` } });
});
after(() => server.stop());

/** The newest entry, and all that the journal says of it in any form. */
async function newest() {
    const { items } = await mock.must(200, 'GET', '/requests');
    const har = await mock.send('GET', '/requests?format=har');
    const nobodys = await mock.send('GET', '/requests?workspace=_none');
    return { entry: items.at(-1), text: JSON.stringify(items) + har.text + nobodys.text };
}

/** Neither the secret nor the most of it stands anywhere that is kept. */
async function assertUnread(secret, kept) {
    const { text } = await newest();
    for (const part of [secret, secret.slice(0, -4)]) {
        assert.ok(!text.includes(part), `${part} stands in the journal`);
        assert.ok(!server.stderr.includes(part), `${part} stands in the log`);
    }
    if (kept) assert.ok(text.includes(kept), `${kept} is not to be seen`);
}

test('Authorization shows the last four of a key, known or not, and nothing of what is short', async () => {
    const other = `${makeKey('q').slice(0, -4)}3f9a`;
    await request(server, 'GET', `${JOBS}/x`, { headers: bearer });
    assert.equal((await newest()).entry.headers.Authorization, `Bearer …${last}`);
    assert.equal((await newest()).entry.key, last);
    await request(server, 'GET', `/w/acme-corp${JOBS}/x`, { headers: { Authorization: `Bearer ${other}` } });
    assert.equal((await newest()).entry.headers.Authorization, 'Bearer …3f9a');
    for (const secret of ['Basic amFuZTpzZWNyZXQ=', 'Bearer hunter2', 'hunter2isaverylongsecret', `Token ${'s'.repeat(90)}`]) {
        await request(server, 'GET', '/chat/none', { headers: { Authorization: secret, 'Proxy-Authorization': secret } });
        const { entry: { headers } } = await newest();
        for (const name of ['Authorization', 'Proxy-Authorization'])
            assert.ok(headers[name].length <= 20 && !headers[name].includes(secret.slice(-8)), headers[name]);
    }
    await assertUnread(other, '3f9a');
    await assertUnread(DEFAULT_KEY, last);
});

const strays = {
    'the query': (key) => message('GET', `${JOBS}/x?api_key=${key}&b=1`, { headers: bearer }),
    'the query, escaped': (key) => message('GET',
        `${JOBS}/x?api_key=${key.replace(/_/g, '%5F').replace('e', '%65')}`, { headers: bearer }),
    'the path': (key) => message('GET', `${JOBS}/${key}`, { headers: bearer }),
    'a header': (key) => message('GET', `${JOBS}/x`, { headers: { ...bearer, 'X-Api-Key': key } }),
    'a cookie': (key) => message('GET', `${JOBS}/x`, { headers: { ...bearer, Cookie: `a=b; key=${key}` } }),
    'a header, escaped, and nothing else': (key) => message('GET', `${JOBS}/x`, { headers: { ...bearer,
        Referer: `https://shop.test/?k=${key.replace(/_/g, '%5F')}` } }),
    'X-Request-Id, escaped': (key) => message('GET', `${JOBS}/x`, { headers: { ...bearer,
        'X-Request-Id': key.replace(/_/g, '%5F') } }),
    'a header\'s name': (key) => message('GET', `${JOBS}/x`, { headers: { ...bearer, [`X-${key}`]: '1' } }),
    'X-Request-Id': (key) => message('GET', `${JOBS}/x`, { headers: { ...bearer, 'X-Request-Id': key } }),
    'a prompt': (key) => message('POST', JOBS, { headers: bearer, body: JSON.stringify(job({ prompt: `My key is ${key}.` })) }),
    'a prompt, escaped': (key) => message('POST', JOBS, { headers: bearer,
        body: JSON.stringify(job({ prompt: `My key is ${key}.` })).replace(/_live_/, '\\u005flive\\u005F') }),
    'an address, which the answer repeats': (key) => message('POST', JOBS, { headers: bearer,
        body: JSON.stringify(job({ user_email: `${key}@else.com` })) }),
    'a body that is no JSON': (key) => message('POST', JOBS, { headers: bearer, body: `{"key":"${key}` }),
    'a body that is ignored': (key) => message('GET', `${JOBS}/x`, { headers: bearer, body: key }),
    'nobody\'s path': (key) => message('GET', `/nowhere/${key}?k=${key}`),
    'a method that is none': (key) => message('PATCH', `${JOBS}?k=${key}`, { headers: bearer }),
    'a call of the control plane': (key) => message('POST', `/_mock/keys?k=${key}`,
        { headers: { Authorization: `Bearer ${TOKEN}` }, body: '{}' }),
};
Object.entries(strays).forEach(([where, bytes], index) => {
    test(`a key in ${where}`, async () => {
        const key = `exec_live_${`${'abcdefghij'[index % 10]}${index % 7}Zx`.repeat(10)}`;
        await ask(server.port, bytes(key));
        // Its letters without the last four, in a row, whatever is spelled how before them.
        await assertUnread(key.slice(10));
    });
});

const hush = 'hush-hush-secret';
const headers = { 'X-Token': hush, Authorization: `Bearer ${hush}`, Empty: '' };
const base = { user_email: DEFAULT_MEMBER, prompt: 'A call', callback_url: 'http://127.0.0.1:9/' };

test('callback header values show their length', async () => {
    await request(server, 'POST', JOBS, { headers: bearer, body: { ...base, callback_headers: headers, context: 'seen' } });
    const { entry } = await newest();
    assert.deepEqual(JSON.parse(entry.body), { ...base, context: 'seen',
        callback_headers: { 'X-Token': '(16 bytes)', Authorization: '(23 bytes)', Empty: '(0 bytes)' } });
    assert.ok(entry.body_bytes > 0);
    await assertUnread(hush);
});

const bodies = {
    'is refused': JSON.stringify({ ...base, callback_headers: { 'bad name': hush } }),
    'has no key': JSON.stringify({ ...base, callback_headers: headers }),
    'has them under a misspelt name': JSON.stringify({ ...base, callbackHeaders: headers, 'Callback-Header': [hush] }),
    'has them escaped': JSON.stringify({ ...base, callback_headers: headers }).replace('k_h', 'k\\u005fh'),
    'has them deep': JSON.stringify({ job: [{ callback_headers: { 'X-Token': { deep: [hush] } } }] }),
    'has them as a text': JSON.stringify({ ...base, callback_headers: `X-Token: ${hush}` }),
    'has them twice': `{"callback_headers":{"A":"${hush}"},"callback_headers":{"B":"${hush}"}}`,
    'has them in a text that is JSON': JSON.stringify({ job: JSON.stringify({ ...base, callback_headers: headers }) }),
    'is encoded twice': JSON.stringify(JSON.stringify({ ...base, callback_headers: headers })),
    'is encoded five times': Array.from({ length: 5 }).reduce((text) => JSON.stringify(text), JSON.stringify({ callback_headers: headers })),
    'has a part of them in a text': JSON.stringify({ job: JSON.stringify({ callback_headers: headers }).slice(0, -2) }),
    'is no JSON': `{"user_email":"jane@acme.com","callback_headers":{"X-Token":"${hush}"},`,
    'is a list': JSON.stringify([{ callback_headers: headers }]),
    'is longer than what is kept': JSON.stringify({ ...base, context: 'x'.repeat(49_000), prompt: 'y'.repeat(9_000),
        callback_headers: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`X-${i}`, hush])) }),
};
Object.entries(bodies).forEach(([what, body]) => {
    test(`nor are they read where the body ${what}`, async () => {
        await request(server, 'POST', JOBS, { body,
            headers: { 'Content-Type': 'application/json', ...(what === 'has no key' ? {} : bearer) } });
        await assertUnread(hush);
        assert.ok((await newest()).entry.body_bytes > 0);
    });
});

test('nor are numbers among them, and words about them stay as they are', async () => {
    const prompt = 'Practice "callback_headers": {}';
    await request(server, 'POST', JOBS, { headers: bearer, body: { ...base, prompt, callback_headers: { 'X-Pin': 2718281828459045 } } });
    const { entry } = await newest();
    assert.deepEqual(JSON.parse(entry.body), { ...base, prompt, callback_headers: { 'X-Pin': '(16 bytes)' } });
    await assertUnread('2718281828459045');
});

test('the control token is in neither', async () => {
    await mock.must(200, 'PATCH', '/settings', { body: { queue_time: '1s' } });
    await request(server, 'GET', `/rest/v1/${TOKEN}`, { headers: { Authorization: `Bearer ${TOKEN}` } });
    const { text } = await newest();
    assert.ok(!text.includes(`Bearer ${TOKEN}`));
    assert.ok(!server.stderr.includes(`Bearer ${TOKEN}`));
});

test('a key that a job was asked with is in no timeline and no report', async () => {
    const key = makeKey('t');
    const { body: { id } } = await request(server, 'POST', JOBS, { headers: bearer, body: job({ prompt: `with ${key}`,
        request_id: key, callback_url: `http://inbox.test/${key}`, callback_headers: { 'X-Key': key } }) });
    await mock.must(200, 'GET', `/jobs/${id}?until=completed&wait=30s`);
    await mock.must(200, 'GET', `/webhooks?job=${id}&status=delivered&min=1&wait=30s`);
    const pages = ['/timeline', '/timeline?format=text', `/jobs/${id}/timeline`, `/jobs/${id}/timeline?format=text`,
        '/report', '/report?format=md', '/report?format=junit'];
    for (const page of pages) {
        const { status, text } = await mock.send('GET', page);
        assert.equal(status, 200);
        assert.ok(!text.includes(key.slice(0, 24)), `${page}: ${text}`);
    }
    const { items } = (await mock.must(200, 'GET', '/report')).request_ids;
    assert.equal(items.filter(({ request_id: own }) => /^exec_live_\.+.{4}$/.test(own)).length, 1);
});

test('nor does one stand in the examples of findings, in addresses and in labels', async () => {
    const key = makeKey('w');
    const made = await mock.make({ slug: 'told', members: ['*'], settings: { processing_time: '0ms', queue_time: '0ms' } });
    const told = control(server, { prefix: '/w/told', headers: { Authorization: `Bearer ${TOKEN}` } });
    const create = (fields) => request(server, 'POST', `/w/told${JOBS}`,
        { headers: { Authorization: `Bearer ${made.api_key}` }, body: job({ prompt: '...', ...fields }) });
    await create({ request_id: key });
    await create({ request_id: key, prompt: 'Another' }); // request_id_reused
    const { body: { id } } = await create({ user_email: `${key}+fail@acme.com` }); // magic_email_only
    await told.must(201, 'POST', '/rules', { body: { match: {}, label: key } });
    await create({});
    const pages = ['/lint', '/timeline', '/timeline?format=text', `/jobs/${id}/timeline`, `/jobs/${id}/timeline?format=text`,
        ...['json', 'md', 'junit'].map((format) => `/report?format=${format}`)];
    for (const page of pages) {
        const { status, text } = await told.send('GET', page);
        assert.equal(status, 200, text);
        assert.ok(!text.includes('wwwwwwww'), `${page}: ${text}`);
    }
    const report = await told.must(200, 'GET', '/report');
    assert.equal(report.request_ids.items[0].request_id, `exec_live_${'.'.repeat(36)}wwww`);
    assert.ok(report.findings.some(({ examples }) => examples.join().includes('....wwww')));
    await mock.remove('told');
});
