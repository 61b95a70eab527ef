// C8 in a real browser: pages of others, one of which has had its name pointed at this machine since
// it was loaded (DNS rebinding), try all that a page can send. Nothing of the control plane changes,
// and nothing can be read.
//
// evil.example and other.example are 127.0.0.1 to the browser. What runs at http://evil.example:PORT,
// PORT being the server's own, is of the same origin as the server, as after a rebinding; the test
// runs it within an answer of the server's that has no policy of its own (/healthz). One of
// http://other.example:PORT2 is any page of the web, from a server of the test's. Nothing is
// intercepted: with that, playwright answers preflight requests itself.
//
// UNDERSTUDY_CHROMIUM names the browser where it is not Debian's.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

import { until } from '../api/client.mjs';
import { startServer } from '../support/server.mjs';

const KEY = 'exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b';
const PATIENCE = 20_000;

const browser = await chromium.launch({
    executablePath: process.env.UNDERSTUDY_CHROMIUM ?? '/usr/bin/chromium',
    args: [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
        ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
        '--host-resolver-rules=MAP evil.example 127.0.0.1, MAP other.example 127.0.0.1',
        // Lest it is the browser that refuses: not every one looks at private addresses.
        '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessSendPreflights',
    ],
});

const PAGE = '<!doctype html><meta charset=utf-8><title>nothing to see</title><body>';

let server;
let elsewhere;
let seen; // what the browser has sent to the server
before(async () => {
    server = await startServer({ args: ['--queue-time', '76h'] });
    elsewhere = http.createServer((_, response) => {
        response.writeHead(200, { 'Content-Type': 'text/html' });
        response.end(PAGE);
    });
    await new Promise((resolve) => { elsewhere.listen(0, '127.0.0.1', resolve); });
});
after(async () => {
    await browser.close();
    elsewhere.close();
    await server.stop();
});

async function withTab(url, body) {
    const context = await browser.newContext();
    const tab = await context.newPage();
    tab.setDefaultTimeout(PATIENCE);
    seen = [];
    tab.on('response', (response) => seen.push(`${response.request().method()} ${response.status()} ${new URL(response.url()).pathname}`));
    try {
        await tab.goto(url);
        return await body(tab);
    } finally {
        await context.close();
    }
}

/** All there is in the default workspace, and how many others there are. */
async function look() {
    const read = async (path) => {
        const response = await fetch(`${server.url}${path}`);
        assert.equal(response.status, 200, path);
        return response.json();
    };
    const { items } = await read('/_mock/workspaces');
    return {
        workspaces: items.map(({ slug, active }) => ({ slug, active })),
        settings: await read('/_mock/settings'),
        rules: (await read('/_mock/rules')).items,
        jobs: (await read('/_mock/jobs')).items.length,
        members: (await read('/_mock/members')).items,
        clock: (await read('/_mock/clock')).mode,
    };
}

const attacks = [
    ['GET', '/_mock/info'], ['GET', '/_mock/workspaces'], ['GET', '/_mock/settings'], ['GET', '/_mock/requests'],
    ['GET', '/_mock/state'], ['GET', '/_mock/report'], ['GET', '/metrics'], ['GET', '/w/acme-corp/_mock/jobs'],
    ['POST', '/_mock/workspaces', '{"slug":"evil"}'], ['POST', '/_mock/reset', '{}'],
    ['POST', '/_mock/rules', '{"match":{},"do":{"respond":500}}'], ['POST', '/_mock/members', '{"email":"*"}'],
    ['POST', '/_mock/keys', '{}'], ['POST', '/_mock/clock/advance', '{"by":"76h"}'],
    ['PATCH', '/_mock/settings', '{"any_key":true}'], ['PUT', '/_mock/clock', '"manual"'],
    ['PUT', '/_mock/inbox/x/replies', '[]'], ['DELETE', '/_mock/workspaces/acme-corp'],
];
const kinds = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];
const targets = ['/_mock/workspaces', '/_mock/reset', '/_mock/rules', '/api/projects/default/scenarios',
    '/rest/v1/scenario-studio/jobs'];
const manners = [
    {}, { mode: 'no-cors' }, { mode: 'no-cors', blob: true }, { type: 'application/json' }, { type: 'text/plain' },
    { type: 'application/json', key: KEY }, { credentials: 'include' },
];

/** In the page: sends it all in each of the manners, and tells what of the answers could be read. */
async function attack({ base, attacks: all, manners: ways }) {
    const read = [];
    for (const [method, path, body] of all)
        for (const { mode, type, key, blob, credentials } of ways) {
            const headers = { ...(type && { 'Content-Type': type }), ...(key && { Authorization: `Bearer ${key}` }) };
            try {
                const answer = await fetch(base + path, { method, mode, headers, credentials,
                    body: body && (blob ? new Blob([body]) : body) });
                const text = await answer.text();
                if (answer.type !== 'opaque') read.push([`${method} ${path}`, answer.status, text]);
            } catch { /* the browser says no more than that */ }
        }
    return read;
}

/** In the page: what needs no script's leave — forms, images, scripts, styles, frames, beacons, sockets. */
async function embed({ base, kinds, targets }) {
    const results = [];
    const once = (element, url) => new Promise((resolve) => {
        element.onload = () => resolve('load');
        element.onerror = () => resolve('error');
        for (const name of ['src', 'href', 'data']) if (name in element) element[name] = url;
        document.body.append(element);
        setTimeout(resolve, 3000, 'neither');
    });
    for (const name of ['img', 'script'])
        results.push([name, await once(document.createElement(name), `${base}/_mock/workspaces`)]);
    const sheet = document.createElement('link');
    sheet.rel = 'stylesheet';
    results.push(['style', await once(sheet, `${base}/_mock/workspaces`)]);
    for (const kind of kinds)
        for (const path of targets) {
            const frame = document.createElement('iframe');
            frame.name = `f${document.querySelectorAll('iframe').length}`;
            const form = document.createElement('form');
            Object.assign(form, { method: 'POST', action: base + path, enctype: kind, target: frame.name });
            const field = document.createElement('input');
            Object.assign(field, { name: '{"slug":"evil","name":"evil","x":"', value: '"}' });
            form.append(field);
            document.body.append(frame, form);
            form.submit();
        }
    for (const path of ['/_mock/workspaces', '/_mock/reset'])
        results.push(['beacon', navigator.sendBeacon(base + path, new Blob(['{}'], { type: 'text/plain' }))]);
    results.push(['events', await new Promise((resolve) => {
        const source = new EventSource(`${base}/_mock/events`);
        source.onopen = () => resolve('open');
        source.onmessage = () => resolve('message');
        source.onerror = () => { source.close(); resolve('error'); };
    })]);
    results.push(['socket', await new Promise((resolve) => {
        const socket = new WebSocket(`${base.replace('http', 'ws')}/_mock/events`);
        socket.onopen = () => resolve('open');
        socket.onerror = () => resolve('error');
    })]);
    return results;
}

for (const [what, page, same] of [
    ['a name that was pointed at this machine', () => `http://evil.example:${server.port}/healthz`, true],
    ['a page of another origin', () => `http://other.example:${elsewhere.address().port}/`, false],
]) {
    // What the page calls the server: by its own name, and by the names that are the server's.
    const bases = () => (same ? [''] : [server.url, `http://evil.example:${server.port}`]);

    test(`C8: ${what}: fetch changes and reads nothing of the control plane`, async () => {
        const past = await look();
        await withTab(page(), async (tab) => {
            for (const base of bases()) {
                const read = await tab.evaluate(attack, { base, attacks, manners });
                assert.equal(read.length > 0, same, 'only a page of the same origin reads answers');
                for (const [call, status, text] of read) {
                    assert.equal(status, 403, `${call}: ${text}`);
                    assert.match(text, /forbidden_host/, call);
                    assert.doesNotMatch(text, /acme|exec_live|jane/i, call);
                }
            }
            assert.ok(seen.some((line) => line.startsWith('POST 403')), 'the browser did send it');
        });
        assert.deepEqual(await look(), past);
    });

    test(`C8: ${what}: forms, embedding, beacons and streams do neither`, async () => {
        const past = await look();
        const scenarios = await (await fetch(`${server.url}/api/projects/default/scenarios`)).text();
        await withTab(page(), async (tab) => {
            for (const base of bases()) {
                seen.length = 0;
                const results = await tab.evaluate(embed, { base: base || new URL(page()).origin, kinds, targets });
                for (const [how, result] of results)
                    assert.ok(!['open', 'message', 'load'].includes(result), `${how}: ${result}`);
                const posts = () => seen.filter((line) => /^POST (403|415|401) /.test(line)).length;
                await until(() => posts() >= kinds.length * targets.length);
            }
            assert.ok(!seen.some((line) => /^POST 2/.test(line)), seen.join('\n'));
        });
        assert.deepEqual(await look(), past);
        assert.equal(await (await fetch(`${server.url}/api/projects/default/scenarios`)).text(), scenarios);
    });
}

test('the same calls from this machine do change things: it is the name that is refused', async () => {
    await withTab(`${server.url}/healthz`, async (tab) => {
        const status = await tab.evaluate(async () => (await fetch('/_mock/info')).status);
        assert.equal(status, 200);
    });
    const answer = await fetch(`${server.url}/_mock/workspaces`, { method: 'POST', body: new Blob(['{"slug":"evil"}']) });
    assert.equal(answer.status, 201);
    await fetch(`${server.url}/_mock/workspaces/evil`, { method: 'DELETE' });
});

test('a page of another origin can neither read nor use the Studio API', async () => {
    await withTab(`http://other.example:${elsewhere.address().port}/`, async (tab) => {
        const read = await tab.evaluate(attack, { base: server.url, manners,
            attacks: [['POST', '/rest/v1/scenario-studio/jobs', '{"user_email":"jane@acme.com","prompt":"evil"}'],
                ['GET', '/api/projects/default/scenarios'], ['GET', '/rest/v1/scenario-studio/jobs/x']] });
        assert.deepEqual(read, []);
    });
    assert.equal((await look()).jobs, 0);
});
