// The pages that the Studio API's answers point to, in a real browser against the real server:
// S13 (a session's page starts its job and shows it to its end), S24 (the scenario's page), H3.
// UNDERSTUDY_CHROMIUM names the browser where it is not Debian's.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';

import { startServer } from '../support/server.mjs';

const KEY = 'exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b';
const OTHER_KEY = 'exec_live_0000000000111111111122222222223333333333';
const PROMPT = 'Create a discovery call scenario with a skeptical IT director';

// Longer than any test waits: what is due then stays as it is.
const NEVER = '76h';
const AT_ONCE = '1ms';

// A page reloads itself every two seconds; a busy machine may take its time.
const PATIENCE = 20_000;

const PHONE = { width: 360, height: 640 };

const browser = await chromium.launch({
    executablePath: process.env.UNDERSTUDY_CHROMIUM ?? '/usr/bin/chromium',
    args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
    ],
});

after(() => browser.close());

async function call(server, method, path, body, key = KEY) {
    const response = await fetch(server.url + path, {
        method,
        headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
        body: body && JSON.stringify(body),
    });
    const answer = await response.json();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
}

function createSession(server, prompt, { key = KEY, email = 'jane@acme.com' } = {}) {
    const body = { user_email: email, prompt };
    return call(server, 'POST', '/rest/v1/scenario-studio', body, key);
}

// A completed job's scenario, waited for as a client would.
async function createScenario(server, fields) {
    const body = { user_email: 'jane@acme.com', prompt: PROMPT, ...fields };
    const { id } = await call(server, 'POST', '/rest/v1/scenario-studio/jobs', body);
    const deadline = Date.now() + PATIENCE;
    for (;;) {
        const job = await call(server, 'GET', `/rest/v1/scenario-studio/jobs/${id}`);
        if (job.status === 'completed') return job;
        assert.ok(Date.now() < deadline, `the job is still ${job.status}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

// A tab that remembers whatever a page does that none of ours may do.
async function openTab(options = {}) {
    const context = await browser.newContext(options);
    const tab = await context.newPage();
    const misdeeds = [];
    tab.setDefaultTimeout(PATIENCE);
    tab.on('dialog', (dialog) => {
        misdeeds.push(`dialog: ${dialog.message()}`);
        return dialog.dismiss();
    });
    tab.on('console', (message) => misdeeds.push(`console: ${message.text()}`));
    tab.on('pageerror', (error) => misdeeds.push(`error: ${error}`));
    tab.on('request', (request) => {
        if (!request.isNavigationRequest() && !request.url().startsWith('data:'))
            misdeeds.push(`request: ${request.url()}`);
    });
    return { tab, misdeeds, close: () => context.close() };
}

async function withServer(args, body) {
    const server = await startServer({ args });
    try {
        await body(server);
    } finally {
        await server.stop();
    }
}

async function withTab(options, body) {
    const { tab, misdeeds, close } = await openTab(options);
    try {
        await body(tab, misdeeds);
        assert.deepEqual(misdeeds, []);
    } finally {
        await close();
    }
}

const badge = (tab, state) => tab.locator(`.badge.${state}`);
const currentStep = (tab) => tab.locator('[aria-current=step] .step');
const fact = (tab, term) => tab.locator('dl div', { has: tab.locator('dt', { hasText: term }) });

describe('with jobs that end at once', () => {
    const args = [
        ...['--queue-time', AT_ONCE, '--processing-time', AT_ONCE],
        ...['--api-key', `${OTHER_KEY}=globex`, '--member', 'hank@globex.example=globex'],
    ];
    let server;

    before(async () => {
        server = await startServer({ args });
    });
    after(() => server?.stop());

    for (const javaScriptEnabled of [false, true]) {
        const how = javaScriptEnabled ? 'with' : 'without';
        test(`S13, S24: a session runs to its scenario ${how} JavaScript`, async () => {
            const session = await createSession(server, PROMPT);
            assert.equal(session.url, `${server.url}/chat/${session.id}`);
            assert.equal(session.is_new, true);

            await withTab({ javaScriptEnabled }, async (tab) => {
                await tab.goto(session.url);
                assert.equal(await tab.locator('.user .text').textContent(), PROMPT);
                assert.match(await tab.locator('.user .who').textContent(), /^jane@acme\.com$/);

                await badge(tab, 'completed').waitFor();
                assert.equal(await currentStep(tab).textContent(), 'Completed');
                assert.equal(await tab.locator('meta[http-equiv=refresh]').count(), 0);
                assert.match(await tab.title(), /^Completed: session .* · Understudy$/);

                const link = tab.getByRole('main').getByRole('link');
                const name = await link.textContent();
                await link.click();
                await tab.waitForURL(`${server.url}/scenarios/*`);
                assert.equal(await tab.getByRole('heading', { level: 1 }).textContent(), name);
                assert.ok((await tab.locator('.card .text').allTextContents()).includes(PROMPT));
                assert.equal(await fact(tab, 'Owner').locator('dd').textContent(), 'jane@acme.com');

                await fact(tab, 'Session').getByRole('link').click();
                await tab.waitForURL(session.url);
            });
        });
    }

    test('S23: a session that fails says why and stops reloading', async () => {
        const session = await createSession(server, ' ?! … ');
        await withTab({ javaScriptEnabled: false }, async (tab) => {
            await tab.goto(session.url);
            await badge(tab, 'failed').waitFor();
            const words = await tab.locator('.error').innerText();
            assert.match(words, /Unable to generate scenario from the provided prompt/);
            assert.match(words, /GENERATION_ERROR/);
            assert.equal(await tab.locator('meta[http-equiv=refresh]').count(), 0);
            assert.equal(await tab.getByRole('main').getByRole('link').count(), 0);
        });
    });

    test('S24: a remix shows its context, its job and the way to its source', async () => {
        const context = '## Prospect\n\n- Company: TechCorp Inc.\n  - Size: 500\n';
        const source = (await createScenario(server, {})).scenario;
        const job = await createScenario(server, {
            prompt: 'Make the director friendlier but more price sensitive',
            context,
            scenario_slug: source.slug,
        });
        assert.notEqual(job.scenario.slug, source.slug);

        await withTab({ javaScriptEnabled: false }, async (tab) => {
            await tab.goto(job.scenario.url);
            assert.ok((await tab.locator('.card .text').allTextContents()).includes(context));
            assert.equal(await fact(tab, 'Id').locator('dd').textContent(), job.scenario.id);
            assert.equal(await fact(tab, 'Slug').locator('dd').textContent(), job.scenario.slug);
            const times = await tab.locator('.steps time').allTextContents();
            assert.deepEqual(times, [job.created_at, job.started_at, job.completed_at]);
            const duration = await fact(tab, 'Duration').locator('time').getAttribute('datetime');
            assert.equal(duration, `PT${job.duration_seconds}S`);

            await tab.locator('.remix').getByRole('link', { name: source.name }).click();
            await tab.waitForURL(source.url);
            const heading = await tab.getByRole('heading', { level: 1 }).textContent();
            assert.equal(heading, source.name);
            assert.equal(await tab.locator('.remix').count(), 0);
        });
    });

    test('H7: the pages of another workspace link within it', async () => {
        const session = await createSession(server, PROMPT, {
            key: OTHER_KEY,
            email: 'hank@globex.example',
        });
        assert.match(session.url, /\/w\/globex\/chat\//);
        await withTab({}, async (tab) => {
            await tab.goto(session.url);
            await badge(tab, 'completed').waitFor();
            await tab.getByRole('main').getByRole('link').click();
            await tab.waitForURL(`${server.url}/w/globex/scenarios/*`);
            await fact(tab, 'Session').getByRole('link').click();
            await tab.waitForURL(session.url);
        });
    });

    test('S13, S24: markup and scripts in every field are shown, never run', async () => {
        const hostile = [
            `<script>alert('script')</script>`,
            `"><img src=x onerror="alert('img')">`,
            `'><svg onload=alert('svg')>`,
            `</title></style></textarea><iframe srcdoc="<script>alert('frame')</script>">`,
            `<a href="javascript:alert('link')" autofocus onfocus="alert('focus')">x</a>`,
            `<style>main{display:none}</style>`,
            `<meta http-equiv="refresh" content="0;url=//evil.test">`,
            `<base href="//evil.test/"><form action="//evil.test"><button formaction=x>b</button>`,
            `&lt;b&gt; &amp; <!-- --> {{7*7}} %s`,
        ].join('\n');
        const session = await createSession(server, hostile);
        const job = await createScenario(server, { prompt: hostile, context: hostile });

        await withTab({}, async (tab) => {
            await tab.goto(session.url);
            assert.equal(await tab.locator('.user .text').textContent(), hostile);
            await badge(tab, 'completed').waitFor();
            assert.equal(tab.url(), session.url);

            await tab.goto(job.scenario.url);
            const texts = await tab.locator('.card .text').allTextContents();
            assert.deepEqual(texts, [hostile, hostile]);
            assert.ok(await tab.getByRole('main').isVisible());
            const foreign = 'script,iframe,svg,img,form,button,base,[onerror],[onload],[onfocus]';
            assert.equal(await tab.locator(foreign).count(), 0);
            assert.equal(await tab.locator('a[href^="javascript:"]').count(), 0);
        });
    });

    test('the policy lets the style sheet in and would stop a script', async () => {
        const { scenario } = await createScenario(server, {});
        const { tab, misdeeds, close } = await openTab({ viewport: { width: 1200, height: 800 } });
        try {
            await tab.goto(scenario.url);
            assert.deepEqual(misdeeds, []);
            const body = await tab.locator('body').boundingBox();
            assert.ok(body.width < 800, `no style sheet: the body is ${body.width} px wide`);

            // The proof that the tests above would see what a script does: one is put there.
            const ran = await tab.evaluate(() => {
                const script = document.createElement('script');
                script.textContent = 'document.documentElement.dataset.ran = "yes"';
                document.body.append(script);
                return document.documentElement.dataset.ran;
            });
            assert.equal(ran, undefined);
            assert.match(misdeeds.join('\n'), /Content Security Policy/);
        } finally {
            await close();
        }
    });

    test('the pages are sent with headers that keep them to themselves', async () => {
        const { scenario } = await createScenario(server, {});
        const { headers } = await fetch(scenario.url);
        assert.equal(headers.get('content-type'), 'text/html; charset=utf-8');
        const policy = headers.get('content-security-policy');
        assert.match(policy, /^default-src 'none'; style-src 'sha256-/);
        assert.doesNotMatch(policy, /unsafe|script-src|http/);
        assert.equal(headers.get('x-content-type-options'), 'nosniff');
        assert.equal(headers.get('referrer-policy'), 'no-referrer');
        assert.equal(headers.get('cache-control'), 'no-store');
    });

    test('a word of 10,000 characters fits on a phone', async () => {
        const word = 'W'.repeat(10_000);
        const session = await createSession(server, word);
        const job = await createScenario(server, { prompt: word, context: `${word} ${word}` });
        await withTab({ viewport: PHONE }, async (tab) => {
            for (const url of [session.url, job.scenario.url]) {
                await tab.goto(url);
                const width = await tab.evaluate(() => document.documentElement.scrollWidth);
                assert.equal(width, PHONE.width, url);
            }
        });
    });

    test('right-to-left text stands on its own side and turns nothing around it', async () => {
        const lines = [
            'צור תרחיש (IT)',
            'A line of English that is wider than the others, so that they have a side to choose',
            'short',
            '\u202eturned',
        ];
        const session = await createSession(server, lines.join('\n'));
        await withTab({ viewport: { width: 1200, height: 800 } }, async (tab) => {
            await tab.goto(session.url);
            await badge(tab, 'completed').waitFor();
            const text = tab.locator('.user .text');
            assert.equal(await text.textContent(), lines.join('\n'));
            const sides = await text.evaluate((element) => {
                const box = element.getBoundingClientRect();
                const range = document.createRange();
                const nodes = [...element.childNodes].filter((node) => node.nodeType === 3);
                return nodes.map((node) => {
                    range.selectNodeContents(node);
                    const runs = [...range.getClientRects()].filter((run) => run.width > 1);
                    const left = Math.min(...runs.map((run) => run.left)) - box.left;
                    const right = box.right - Math.max(...runs.map((run) => run.right));
                    return Math.abs(left - right) < 2 ? 'both' : left < right ? 'left' : 'right';
                });
            });
            assert.deepEqual([sides[0], sides[2]], ['right', 'left']);
            const around = tab.locator('main');
            assert.equal(await around.evaluate((e) => getComputedStyle(e).direction), 'ltr');
        });
    });

    test('light and dark follow what the reader prefers', async () => {
        const { scenario } = await createScenario(server, {});
        const seen = {};
        for (const colorScheme of ['light', 'dark']) {
            await withTab({ colorScheme }, async (tab) => {
                await tab.goto(scenario.url);
                const body = tab.locator('body');
                const colour = await body.evaluate((e) => getComputedStyle(e).backgroundColor);
                const [red] = colour.match(/\d+/g);
                seen[colorScheme] = Number(red);
            });
        }
        assert.ok(seen.light > 200 && seen.dark < 60, JSON.stringify(seen));
    });

    test('H3: what is not there is a page of its own, with status 404', async () => {
        for (const path of ['/chat/000000000000', '/scenarios/no-such-scenario']) {
            const { tab, close } = await openTab();
            try {
                const response = await tab.goto(server.url + path);
                assert.equal(response.status(), 404, path);
                assert.equal(await tab.getByRole('heading', { level: 1 }).count(), 1, path);
                assert.match(await tab.locator('main').innerText(), /404/);
            } finally {
                await close();
            }
        }
    });
});

test('S13: opening a session starts its job once; the page reloads itself meanwhile', async () => {
    await withServer(['--queue-time', NEVER], async (server) => {
        const session = await createSession(server, PROMPT);
        await withTab({ javaScriptEnabled: false }, async (tab) => {
            await tab.goto(session.url);
            await badge(tab, 'queued').waitFor();
            assert.equal(await currentStep(tab).textContent(), 'Queued');
            const first = await fact(tab, 'Job').locator('dd').textContent();

            await tab.waitForResponse(session.url);
            await badge(tab, 'queued').waitFor();
            assert.equal(await fact(tab, 'Job').locator('dd').textContent(), first);
        });
    });
});

test('S22: a cancelled job ends its page', async () => {
    await withServer(['--queue-time', NEVER], async (server) => {
        const session = await createSession(server, PROMPT);
        await withTab({ javaScriptEnabled: false }, async (tab) => {
            await tab.goto(session.url);
            const job = await fact(tab, 'Job').locator('dd').textContent();
            await call(server, 'DELETE', `/rest/v1/scenario-studio/jobs/${job}`);
            await badge(tab, 'cancelled').waitFor();
            assert.match(await tab.locator('.steps').innerText(), /never began/);
            assert.equal(await tab.locator('meta[http-equiv=refresh]').count(), 0);
        });
    });
});

test('the progress line moves while processing, unless the reader wants no motion', async () => {
    await withServer(['--queue-time', AT_ONCE, '--processing-time', NEVER], async (server) => {
        const session = await createSession(server, PROMPT);
        for (const reducedMotion of ['no-preference', 'reduce']) {
            await withTab({ reducedMotion }, async (tab) => {
                await tab.goto(session.url);
                await badge(tab, 'processing').waitFor();
                assert.equal(await currentStep(tab).textContent(), 'Processing');
                const names = await tab.locator('.steps .now').evaluate((step) => {
                    const animation = (part) => getComputedStyle(step, part).animationName;
                    return [animation('::before'), animation('::after')];
                });
                const moving = reducedMotion === 'reduce' ? ['none', 'none'] : ['pulse', 'flow'];
                assert.deepEqual(names, moving);
            });
        }
    });
});
