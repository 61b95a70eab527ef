// Bounds of the server's own: the head of a request, --public-url, and the numbers of slugs.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

import { job, raw, rawRequest, serve, studio, DEFAULT_KEY } from './client.mjs';

test('H6: a head that leaves no room for the answer is refused before anything is done', async (t) => {
    const server = await serve(t, {});
    const send = async (bytes, name) => {
        const body = JSON.stringify(job({ request_id: name }));
        const answers = await raw(server, rawRequest('POST', '/rest/v1/scenario-studio/jobs', [
            'Host: localhost', `Authorization: Bearer ${DEFAULT_KEY}`, `X-A: ${'a'.repeat(bytes)}`,
            `Content-Length: ${body.length}`], body), { answers: 1 });
        return answers.answers[0];
    };
    assert.equal((await send(12_000, 'fits')).status, 201);
    for (const bytes of [13_400, 14_000, 15_700, 15_800, 15_850]) {
        const answer = await send(bytes, `long-${bytes}`);
        // Around 15,800 bytes libmicrohttpd has no room even for the refusal, and only closes.
        if (bytes < 15_800 || answer) assert.equal(answer.status, 431, `${bytes} bytes`);
        const again = await studio(server).createJob(job({ request_id: `long-${bytes}` }));
        assert.equal(again.status, 201, `${bytes} bytes: nothing was made`);
    }
});

test('S13: --public-url is taken whole or refused', () => {
    const check = (url) => spawnSync(process.env.UNDERSTUDY_BIN, ['--check-config', '--public-url', url],
        { encoding: 'utf8', env: { PATH: process.env.PATH } });
    const base = 'http://h/';
    assert.equal(check(base + 'a'.repeat(400 - base.length)).status, 0);
    const refused = check(base + 'a'.repeat(401 - base.length));
    assert.equal(refused.status, 78);
    assert.match(refused.stderr, /--public-url.*longer than 400 characters/);
});

test('S24: a slug takes the first free number, also between names that bear one', async (t) => {
    const server = await serve(t, { args: ['--queue-time', '0ms', '--processing-time', '0ms'] });
    const api = studio(server);
    const slugs = [];
    for (const prompt of ['Angry customer refund', 'Angry customer refund 2', 'Angry customer refund 4',
        'Angry customer refund', 'Angry customer refund']) {
        const { id } = await api.newJob({ prompt });
        slugs.push((await api.jobEnd(id)).scenario.slug);
    }
    assert.deepEqual(slugs, ['', '-2', '-4', '-3', '-5'].map((end) => `angry-customer-refund${end}`));
});
