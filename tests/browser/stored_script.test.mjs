// Script in every field that somebody can store, and then everything that the server serves, opened
// in a browser: none of it runs, whatever a rule or an inbox answers. UNDERSTUDY_CHROMIUM names the
// browser where it is not Debian's.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

import { until } from '../api/client.mjs';
import { startServer } from '../support/server.mjs';

const KEY = 'exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b';
const PATIENCE = 20_000;

// Each says which it is where it runs: in the console, in a dialog, and by a request.
const run = (how) => `console.log('ran ${how}');alert('ran ${how}');new Image().src='/ran-${how}'`;
const SCRIPT = [
    `<script>${run('script')}</script>`,
    `"><img src=x onerror="${run('img')}">`,
    `'><svg onload="${run('svg')}"></svg>`,
    `</title></style></textarea></pre>--><script>${run('closed')}</script>`,
    `<iframe srcdoc="<script>${run('frame').replaceAll("'", '&#39;')}</script>"></iframe>`,
    `<a href="javascript:${run('link')}" autofocus onfocus="${run('focus')}">x</a>`,
    `]]><x:script xmlns:x="http://www.w3.org/1999/xhtml">${run('xml')}</x:script>`,
    `[x](javascript:alert(1)) <details open ontoggle="${run('details')}">`,
    `<meta http-equiv=refresh content="0;url=javascript:alert(1)"><base href=//evil.test><style>*{display:none}</style>`,
].join('\n');
const SHORT = `<script>${run('short')}</script>`.slice(0, 200);
const DOCUMENT = `<!doctype html><body>${SCRIPT}<script src="data:text/javascript,${encodeURIComponent(run('data'))}"></script>`;

const browser = await chromium.launch({
    executablePath: process.env.UNDERSTUDY_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

let server;
before(async () => {
    server = await startServer({ args: ['--queue-time', '1ms', '--processing-time', '1ms', '--log-level', 'error'] });
});
after(async () => {
    await browser.close();
    await server.stop();
});

async function send(method, path, body, headers = {}) {
    const response = await fetch(server.url + path, { method,
        headers: { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : body && JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, text, headers: response.headers, body: /json/.test(response.headers.get('content-type')) && text ? JSON.parse(text) : undefined };
}
async function must(method, path, body, headers) {
    const answer = await send(method, path, body, headers);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
}

/** Fills every field that takes it; resolves to the paths where any of it can be seen. */
async function store() {
    const studio = '/rest/v1/scenario-studio';
    await must('PATCH', '/_mock/workspaces/acme-corp', { name: SHORT.slice(0, 100) });
    await must('POST', '/_mock/workspaces', { slug: 'other', name: SHORT.slice(0, 100), run: SHORT.slice(0, 100) });
    const email = '"<script>alert(1)</script>"@acme.com';
    const member = (await send('POST', '/_mock/members', { email }, {})).status < 300 ? email : 'jane@acme.com';
    const session = await must('POST', studio, { user_email: member, prompt: SCRIPT, request_id: SCRIPT.slice(0, 200) });
    const source = await must('POST', '/_mock/scenarios', { name: SHORT });
    const rule = await must('POST', '/_mock/rules', { match: { prompt: SCRIPT.slice(0, 100) }, label: SHORT.slice(0, 60) });
    const job = await must('POST', `${studio}/jobs`, { user_email: member, prompt: SCRIPT, context: SCRIPT, request_id: SCRIPT,
        scenario_slug: source.slug, callback_url: `${server.url}/_mock/inbox/x?${encodeURIComponent(SHORT)}`,
        callback_headers: { 'X-Script': SHORT } });
    const failed = await must('POST', `${studio}/jobs`, { user_email: member, prompt: ' ?! ', context: SCRIPT });
    for (const url of ['javascript:alert(1)', 'data:text/html,<script>alert(1)</script>'])
        assert.equal((await send('POST', `${studio}/jobs`, { user_email: member, prompt: 'x', callback_url: url })).status, 400);
    const made = await must('POST', '/api/projects/default/scenarios', { name: SCRIPT, instructions: SCRIPT, successCriteria: SCRIPT,
        failureCriteria: SCRIPT, messages: [{ role: SCRIPT, content: SCRIPT }], personaIds: [SCRIPT], evaluators: [{ x: SCRIPT }] });
    await must('POST', '/_mock/inbox/x', DOCUMENT, { 'Content-Type': 'text/html', 'X-Script': SHORT });
    await must('GET', `/_mock/jobs/${job.id}?until=terminal&wait=20s`);
    const { body: { scenario } } = await send('GET', `${studio}/jobs/${job.id}`);
    await send('GET', `/chat/${encodeURIComponent(SHORT)}`, undefined, { 'User-Agent': SHORT, Referer: SHORT });
    await send('GET', `/nowhere?${SHORT}`);
    await send('POST', '/_mock/verify', { match: { prompt: SCRIPT } });
    const encoded = encodeURIComponent(SHORT);
    const path = (url) => new URL(url).pathname;
    return [
        path(session.url), path(scenario.url), `/scenarios/${source.slug}`, `/w/acme-corp${path(scenario.url)}`, `/chat/${encoded}`, `/scenarios/${encoded}`,
        `/${encoded}`, `/w/${encoded}/chat/x`, `/openapi/${encoded}`, '/openapi/control.yaml', '/openapi/studio.yaml', '/openapi/scenarios.yaml', '/healthz', '/readyz', '/metrics',
        ...['workspaces', 'workspaces/other', 'info', 'outcomes'].map((name) => `/_mock/${name}`),
        ...['settings', 'keys', 'members', 'state', 'state?reveal=true', 'clock', 'jobs', `jobs/${job.id}`, `jobs/${job.id}/timeline`, `jobs/${failed.id}`,
            `jobs/${job.id}/timeline?format=text`, 'webhooks', 'webhooks?reveal=true', 'rules', `rules/${rule.id}`, 'inbox/x', 'inbox/x/replies', 'requests', 'requests?format=har',
            'timeline', 'timeline?format=text', 'report', 'report?format=md', 'report?format=junit', 'lint', encoded, `rules/${encoded}`, `jobs?status=${encoded}`,
            `settings?${encoded}`].map((name) => `/w/acme-corp/_mock/${name}`),
        '/api/projects/default/scenarios', `/api/projects/default/scenarios/${made.id}`, `/api/projects/${encoded}/scenarios/x`, `/rest/v1/${encoded}`,
    ];
}

/** Tabs of which whatever runs is noted. */
async function withTabs(body) {
    const context = await browser.newContext({ acceptDownloads: true });
    const ran = [];
    context.setDefaultTimeout(PATIENCE);
    context.on('dialog', (dialog) => { ran.push(`dialog ${dialog.message()}`); return dialog.dismiss(); });
    context.on('console', (message) => { if (/^ran /.test(message.text())) ran.push(message.text()); });
    context.on('request', (request) => { if (/\/ran-|evil\.test/.test(request.url())) ran.push(request.url()); });
    try {
        return await body(context, ran);
    } finally {
        await context.close();
    }
}

/** Does it in a tab of its own. */
async function inTab(context, body) {
    const tab = await context.newPage();
    try {
        return await body(tab);
    } finally {
        await tab.close();
    }
}

/** Opens it; whether it was shown. A download is no page, and has nothing that runs. */
const open = (context, url) => inTab(context, (tab) => tab.goto(url).then(() => true, (error) => {
    if (/Download is starting|ERR_ABORTED|ERR_INVALID_RESPONSE/.test(error.message)) return false;
    throw error;
}));

/** Posts a form there, as any page can, and waits for what the browser makes of the answer. */
const post = (context, url) => inTab(context, async (tab) => {
    const answered = tab.waitForResponse(url);
    await tab.setContent(`<form method=post action="${url}"><button>x</button></form>`);
    await tab.click('button');
    assert.equal((await answered).status(), 200);
    await until(() => tab.evaluate(() => document.readyState === 'complete').catch(() => false));
});

test('script in every field: nothing that is served runs it, and all is sent as what it is', async () => {
    const paths = await store();
    await withTabs(async (context, ran) => {
        let shown = 0;
        for (const path of paths) {
            for (const accept of ['text/html', 'text/plain']) {
                const { headers } = await fetch(server.url + path, { headers: { Accept: accept } });
                const type = headers.get('content-type');
                const policy = headers.get('content-security-policy');
                if (!/^application\/(problem\+)?json/.test(type)) assert.equal(headers.get('x-content-type-options'), 'nosniff', `${path} ${type}`);
                if (!/^(application\/((problem\+)?json|yaml)|text\/(plain|markdown))/.test(type))
                    assert.match(policy ?? '', /^default-src 'none'(?!.*script)/, `${path} ${type}`);
            }
            shown += await open(context, server.url + path);
            assert.deepEqual(ran, [], path);
        }
        assert.ok(shown > 20, `${shown} of ${paths.length} are shown`);
    });
});

const types = ['text/html', 'application/xhtml+xml', 'image/svg+xml', 'application/xml', 'text/plain', 'application/json',
    'multipart/x-mixed-replace; boundary=x', '', 'application/json;,text/html', 'text/x-unknown'];
const xhtml = `<html xmlns="http://www.w3.org/1999/xhtml"><body><script>${run('xhtml')}</script></body></html>`;

test('what rules and inboxes answer is no page of ours, whatever it says it is', async () => {
    const project = '/api/projects/rule/scenarios';
    await withTabs(async (context, ran) => {
        for (const type of types)
            for (const policy of [undefined, 'script-src *', "default-src 'none'; script-src 'unsafe-inline'"]) {
                if (policy && type !== 'text/html') continue;
                const body = /xml/.test(type) ? xhtml : DOCUMENT;
                const headers = { 'Content-Type': type, ...(policy && { 'Content-Security-Policy': policy }) };
                const rule = await must('POST', '/w/acme-corp/_mock/rules', { match: { operation: 'listScenarios' }, do: { respond: { status: 200, body, headers } } });
                await open(context, `${server.url}/w/acme-corp${project}`);
                assert.deepEqual(ran, [], `a rule's ${JSON.stringify(headers)}`);
                await must('DELETE', `/w/acme-corp/_mock/rules/${rule.id}`);

                await must('PUT', '/w/acme-corp/_mock/inbox/form/replies', [{ status: 200, body, headers }]);
                    await post(context, `${server.url}/w/acme-corp/_mock/inbox/form`);
                assert.deepEqual(ran, [], `an inbox's ${JSON.stringify(headers)}`);
            }
    });
});

test('the tests above would see what runs', async () => {
    await withTabs(async (context, ran) => {
        await (await context.newPage()).setContent(DOCUMENT);
        await until(() => ['script', 'img', 'svg', 'closed', 'frame', 'data'].every((how) => ran.some((line) => line.includes(`ran ${how}`))), { what: ran.join('\n') });
    });
});
