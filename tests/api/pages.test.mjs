// The pages that answers point to, and the scenarios behind them.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { inParallel, job, makeKey, request, serve, sql, studio, temporaryDirectory } from './client.mjs';
import { startServer } from '../support/server.mjs';

const OTHER_KEY = makeKey('Pages0');
const QUICK = ['--queue-time', '0ms', '--processing-time', '1ms'];

let server;
let api;
before(async () => {
    server = await startServer({ args: [...QUICK,
        '--api-key', `${OTHER_KEY}=other`, '--member', 'jane@acme.com=other'] });
    api = studio(server);
});
after(() => server.stop());

async function scenarioOf(fields, client = api) {
    const ended = await client.jobEnd((await client.newJob(fields)).id);
    assert.equal(ended.status, 'completed', JSON.stringify(ended));
    return ended.scenario;
}

/** What a reader without style sheets or scripts has before him. */
function readable(html) {
    return html.replace(/<(style|title)>.*?<\/\1>/gs, ' ').replace(/<[^>]*>/g, '')
        .replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&#34;|&quot;/g, '"')
        .replace(/&#39;/g, '\'').replace(/&amp;/g, '&');
}

const NAMES = [
    ['Create a discovery call scenario with a skeptical IT director who is concerned about '
        + 'integration complexity', 'Discovery Call with Skeptical IT Director',
    'discovery-call-with-skeptical-it-director'],
    ['Please create a role-play where an angry customer demands a refund for a damaged laptop',
        'Angry Customer Demands Refund for Damaged Laptop',
        'angry-customer-demands-refund-for-damaged-laptop'],
    ['C++ interview', 'C++ Interview', 'c-plus-plus-interview'],
    ['Cr\u00e9e un sc\u00e9nario d\'appel de d\u00e9couverte avec un directeur informatique sceptique',
        'Appel de D\u00e9couverte avec Directeur Informatique Sceptique',
        'appel-de-decouverte-avec-directeur-informatique-sceptique'],
    ['Bitte erstellen Sie ein Rollenspiel \u00fcber eine Gehaltsverhandlung', 'Gehaltsverhandlung',
        'gehaltsverhandlung'],
    ['Por favor, necesito una simulaci\u00f3n de entrevista de trabajo', 'Entrevista de Trabajo',
        'entrevista-de-trabajo'],
];

for (const [prompt, name, slug] of NAMES) {
    test(`S24: "${prompt.slice(0, 40)}…" is named ${name}`, async () => {
        const scenario = await scenarioOf({ prompt });
        assert.equal(scenario.name, name);
        assert.equal(scenario.slug, slug);
        assert.equal(scenario.url, `${server.url}/scenarios/${slug}`);
        assert.match(scenario.id, /^[0-9a-f]{12}$/);
    });
}

const BEYOND_ASCII = [
    ['请帮我生成一个处理客户投诉的练习', '处理客户投诉的练习'],
    ['Создай сценарий звонка со скептичным ИТ-директором, который беспокоится о сложности',
        'Сценарий Звонка со Скептичным ИТ-Директором'],
    ['أنشئ سيناريو مكالمة استكشافية مع مدير تقنية معلومات متشكك',
        'مكالمة استكشافية مع مدير تقنية معلومات متشكك'],
    ['🎉🎉', '🎉🎉'],
];

for (const [prompt, name] of BEYOND_ASCII) {
    test(`S24: "${prompt.slice(0, 20)}…" is named ${name}, and its slug is scenario-<id>`, async () => {
        const slugs = new Set();
        for (let i = 0; i < 2; i += 1) {
            const scenario = await scenarioOf({ prompt });
            assert.equal(scenario.name, name, 'the same for the same input');
            assert.equal(scenario.slug, `scenario-${scenario.id}`);
            const page = await request(server, 'GET', new URL(scenario.url).pathname);
            assert.equal(page.status, 200);
            assert.ok(page.text.includes(name));
            slugs.add(scenario.slug);
        }
        assert.equal(slugs.size, 2);
    });
}

test('S24: slugs are unique: -2, -3 … in the order of completion', async () => {
    const slugs = [];
    for (let i = 0; i < 12; i += 1) slugs.push((await scenarioOf({ prompt: 'Slug rehearsal' })).slug);
    assert.deepEqual(slugs, ['slug-rehearsal',
        ...Array.from({ length: 11 }, (_, i) => `slug-rehearsal-${i + 2}`)]);
});

test('S24: a slug that a name brings along counts as taken', async () => {
    assert.equal((await scenarioOf({ prompt: 'Taken rehearsal 2' })).slug, 'taken-rehearsal-2');
    assert.equal((await scenarioOf({ prompt: 'Taken rehearsal' })).slug, 'taken-rehearsal');
    assert.equal((await scenarioOf({ prompt: 'Taken rehearsal' })).slug, 'taken-rehearsal-3');
    assert.equal((await scenarioOf({ prompt: 'Taken rehearsal 2' })).slug, 'taken-rehearsal-2-2');
});

test('S24: 50 jobs of one prompt at once get 50 slugs', async () => {
    const scenarios = await inParallel(25, Array.from({ length: 50 }), () =>
        scenarioOf({ prompt: 'Crowded rehearsal' }));
    assert.deepEqual(scenarios.map(({ slug }) => slug).sort(), ['crowded-rehearsal',
        ...Array.from({ length: 49 }, (_, i) => `crowded-rehearsal-${i + 2}`)].sort());
    assert.equal(new Set(scenarios.map(({ id }) => id)).size, 50);
    assert.deepEqual([...new Set(scenarios.map(({ name }) => name))], ['Crowded Rehearsal']);
});

test('S24: names and slugs are the same on another server', async (t) => {
    const other = studio(await serve(t, { args: QUICK }));
    for (const [prompt, name, slug] of NAMES) {
        const scenario = await scenarioOf({ prompt }, other);
        assert.deepEqual([scenario.name, scenario.slug], [name, slug]);
    }
});

test('S24, S9: a remix is a new scenario; its source is stored and shown', async (t) => {
    const file = path.join(await temporaryDirectory(t), 'store.db');
    const own = await startServer({ db: file, args: QUICK });
    const client = studio(own);
    let source;
    let remix;
    let twice;
    try {
        source = await scenarioOf({ prompt: 'Original call' }, client);
        remix = await scenarioOf({ prompt: 'Harder variation', scenario_slug: source.slug }, client);
        twice = await scenarioOf({ prompt: 'Original call', scenario_slug: remix.slug }, client);
        assert.equal(new Set([source, remix, twice].map(({ id }) => id)).size, 3);
        assert.deepEqual([remix.name, remix.slug], ['Harder Variation', 'harder-variation']);
        assert.deepEqual([twice.name, twice.slug], ['Original Call', 'original-call-2']);
        const page = await client.page(`/scenarios/${remix.slug}`);
        assert.ok(page.text.includes(`href="/scenarios/${source.slug}"`));
        assert.match(readable(page.text), /A remix of Original Call/);
        assert.doesNotMatch(readable((await client.page(`/scenarios/${source.slug}`)).text), /remix/i);
    } finally {
        await own.stop();
    }
    assert.deepEqual(await sql(file, 'SELECT id, source FROM scenario ORDER BY seq'),
        [{ id: source.id, source: null }, { id: remix.id, source: source.id },
            { id: twice.id, source: remix.id }]);
});

test('S9: a slug that is still to be made is unknown, and one that was made is known at once', async () => {
    assert.equal((await api.createJob(job({ scenario_slug: 'future-rehearsal' }))).status, 404);
    await scenarioOf({ prompt: 'Future rehearsal' });
    assert.equal((await api.createJob(job({ scenario_slug: 'future-rehearsal' }))).status, 201);
    for (const scenario_slug of ['Future-Rehearsal', 'future-rehearsal ', 'future%2Drehearsal'])
        assert.equal((await api.createJob(job({ scenario_slug }))).status, 404, scenario_slug);
});

test('S24: a scenario\'s page shows name, prompt, context, owner and job', async () => {
    const fields = { user_email: 'JANE@acme.com', prompt: 'Page rehearsal\nwith two lines',
        context: '## Facts\n- one' };
    const made = await api.newJob(fields);
    const { scenario } = await api.jobEnd(made.id);
    const page = await api.page(`/scenarios/${scenario.slug}`);
    assert.equal(page.status, 200);
    const text = readable(page.text);
    for (const part of [scenario.name, scenario.id, scenario.slug, fields.prompt, fields.context, made.id,
        'JANE@acme.com'])
        assert.ok(text.includes(part), part);
});

const PROMPTS = {
    HTML: 'Call <script>alert(1)</script><img src=x onerror=alert(2)> &amp; "quoted" \'x\' </div></html>',
    'right to left': 'Call \u202e\u05e9\u05dc\u05d5\u05dd',
    'beyond the BMP': 'Call \ud83d\ude00 \ud83d\udc69\u200d\ud83d\udcbb',
    formats: 'Call %s %n {{x}} ${y} <%= z %>',
    'not normalised': 'Call e\u0301 \u00e9 \ufb01',
};

for (const [name, prompt] of Object.entries(PROMPTS)) {
    test(`S13, S24: pages show ${name} as text, byte for byte`, async () => {
        const { id } = (await api.createSession(job({ prompt }))).body;
        const scenario = await scenarioOf({ prompt, context: prompt });
        for (const address of [`/chat/${id}`, `/scenarios/${scenario.slug}`]) {
            const { text } = await api.page(address);
            assert.ok(readable(text).includes(prompt), address);
            assert.doesNotMatch(text, /<script|<img|onerror=(?!alert)/i);
            assert.equal(text.match(/<\/html>/g).length, 1);
        }
    });
}

test('S13, S24: pages are HTML under a strict policy, without scripts or foreign parts', async () => {
    const { id } = (await api.createSession(job())).body;
    const { slug } = await scenarioOf();
    for (const [address, status] of [[`/chat/${id}`, 200], [`/scenarios/${slug}`, 200],
        ['/chat/none', 404], ['/scenarios/none', 404]]) {
        const page = await api.page(address);
        assert.equal(page.status, status, address);
        assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
        const policy = page.headers['content-security-policy'];
        assert.match(policy, /default-src 'none'/);
        assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*/);
        assert.equal(page.headers['x-content-type-options'], 'nosniff');
        assert.match(page.text, /^<!DOCTYPE html>/i);
        assert.doesNotMatch(page.text, /<script|\son\w+=|javascript:/i);
        assert.doesNotMatch(page.text, /(src|href)="?(https?:)?\/\//i);
    }
});

test('S13: the page of a session that failed says why', async () => {
    const { id } = (await api.createSession(job({ prompt: '?!' }))).body;
    const jobId = /<dt>Job<\/dt><dd><code>(?:<bdi>)?([0-9a-f]{12})/
        .exec((await api.page(`/chat/${id}`)).text)[1];
    assert.equal((await api.jobEnd(jobId)).status, 'failed');
    const { text } = await api.page(`/chat/${id}`);
    assert.ok(text.includes('GENERATION_ERROR'));
    assert.ok(text.includes('Unable to generate scenario from the provided prompt'));
    assert.doesNotMatch(text, /http-equiv="refresh"|href="\/scenarios/);
});

test('H7: pages under a prefix link within it', async () => {
    const client = studio(server, { key: OTHER_KEY });
    const source = await scenarioOf({ prompt: 'Prefixed call' }, client);
    const remix = await scenarioOf({ prompt: 'Prefixed remix', scenario_slug: source.slug }, client);
    const page = await api.page(`/w/other/scenarios/${remix.slug}`);
    assert.ok(page.text.includes(`href="/w/other/scenarios/${source.slug}"`));
    const session = (await client.createSession(job())).body;
    const jobId = /<dt>Job<\/dt><dd><code>(?:<bdi>)?([0-9a-f]{12})/
        .exec((await api.page(`/w/other/chat/${session.id}`)).text)[1];
    const { scenario } = await client.jobEnd(jobId);
    assert.ok((await api.page(`/w/other/chat/${session.id}`)).text
        .includes(`href="/w/other/scenarios/${scenario.slug}"`));
    assert.equal((await api.page(`/scenarios/${source.slug}`)).status, 404, 'not without the prefix');
});

test('H3, H4: methods, slashes and queries of pages', async () => {
    const { slug } = await scenarioOf();
    for (const method of ['POST', 'PUT', 'DELETE']) {
        const answer = await request(server, method, `/scenarios/${slug}`);
        assert.equal(answer.status, 405, method);
        assert.equal(answer.headers.allow, 'GET, HEAD');
    }
    const get = await api.page(`/scenarios/${slug}`);
    const head = await request(server, 'HEAD', `/scenarios/${slug}`);
    assert.deepEqual([head.status, head.text], [200, '']);
    assert.equal(head.headers['content-length'], String(get.bytes.length));
    assert.equal((await api.page(`/scenarios/${slug}?utm=1`)).status, 200);
    assert.equal((await api.page(`/scenarios/${slug.replace('-', '%2D')}`)).status, 200);
    for (const address of [`/scenarios/${slug}/`, '/scenarios/', '/scenarios', `/scenarios/${slug}/x`,
        `/Scenarios/${slug}`, `/scenarios/${slug.toUpperCase()}`])
        assert.equal((await api.page(address)).status, 404, address);
});

test('S13, S24: pages need no key', async () => {
    const { slug } = await scenarioOf();
    const answer = await request(server, 'GET', `/scenarios/${slug}`,
        { headers: { Authorization: 'Bearer wrong' } });
    assert.equal(answer.status, 200);
});
