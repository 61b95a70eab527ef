// The README's examples, as they stand there: each curl line is run by a shell against a real server (with only the
// port changed), and its answer is what the README shows, but for ids, keys, times and cursors, which are each server's own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { temporaryDirectory } from './client.mjs';
import { startServer } from '../support/server.mjs';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url);
const readme = await readFile(new URL('README.md', root), 'utf8');

// What no test of this file runs, and which one does.
const elsewhere = [
    [/^scripts\/(run|test)$/, 'the suite itself and its set-up'],
    [/^docker compose /, 'tests/container/test'],
    [/^(meson|systemctl) /, 'tests/style/unit_file and tests/container/service'],
];

// What answers otherwise than in JSON, the first perhaps without an end.
const texts = [
    [/^curl -sN /, /^: listening\n/],
    [/\/metrics$/, /^# HELP /],
];

// {language, text}, in the README's order.
function* blocks() {
    for (const [, language, text] of readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)) yield { language, text: text.trim() };
}

// One command a line, continued lines joined.
const commands = (text) => text.split(/(?<!\\)\n(?=\S)/);

const ids = /\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b|\b[0-9a-f]{12}\b/g;
const keys = /\bexec_live_[A-Za-z0-9]{40}\b/g;
const times = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z/g;
const cursors = /"cursor":"[0-9.]+"/g;
const spans = /  \d+ms$/gm; // of a timeline's requests
const lengths = /"Content-Length":"\d+"/g; // of a body with addresses in it
const plain = (text, port) =>
    text.trim().replace(/"(id|connection)":\d+/g, '"$1":1').replace(/"duration":"\d+m?s"/g, '"duration":"SPAN"').replaceAll(`:${port}"`, ':3000"').replace(keys, 'KEY').replace(ids, 'ID').replace(times, (_, ms) => (ms ? 'TIME.MS' : 'TIME')).replace(cursors, '"cursor":"CURSOR"').replace(spans, '  SPAN').replace(lengths, '"Content-Length":"LENGTH"').replaceAll(`:${port}/`, ':3000/');

test('README: every curl line answers as it is shown', async (t) => {
    const server = await startServer({ args: ['--queue-time', '0ms', '--processing-time', '2s'] });
    t.after(() => server.stop());
    const directory = await temporaryDirectory(t); // for the files that it writes
    const known = new Map(); // the README's ids → this server's
    let exported = '';
    let answer = null;
    let lastCreate = '';
    let lost = false; // the last command's answer, as the README must show
    let checked = 0;
    let merged = 0;

    const shell = async (command) => {
        let text = command.replaceAll('localhost:3000', `127.0.0.1:${server.port}`);
        for (const [shown, own] of known) text = text.replaceAll(shown, own);
        // A connection that is lost on purpose is what the README shows of it: curl's number for that.
        const { stdout } = await run('bash', ['-euc', `${exported}\n${text}`], { cwd: directory })
            .catch((error) => ({ stdout: `curl: (${error.code})` }));
        return stdout;
    };
    // A job is asked for until it has ended, as the README says.
    const settled = async (command) => {
        const deadline = Date.now() + 60_000;
        for (;;) {
            const stdout = await shell(command);
            if (!/"status":"(queued|processing)"/.test(stdout) || !/jobs\/[0-9a-f]{12}/.test(command)) return stdout;
            assert.ok(Date.now() < deadline, 'the job does not end');
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    };

    // The program itself, with shards of this server's and the summary of a job; it may say that something fails.
    const mergeReports = async (command) => {
        const document = await shell('curl -s http://localhost:3000/_mock/report');
        for (const shard of ['shard-1.json', 'shard-2.json']) await writeFile(path.join(directory, shard), document);
        const text = command.replaceAll('localhost:3000', `127.0.0.1:${server.port}`);
        const { code = 0, stdout, stderr } = await run('bash', ['-uc', `understudy() { '${process.env.UNDERSTUDY_BIN}' "$@"; }\n${text}`],
            { cwd: directory, env: { ...process.env, GITHUB_STEP_SUMMARY: 'summary.md' } }).catch((error) => error);
        assert.ok(code <= 1 && stdout === '', `${command}\nends with ${code}: ${stderr}`);
        const output = command.includes('report.xml') ? 'report.xml' : 'summary.md';
        assert.match(await readFile(path.join(directory, output), 'utf8'), /^(# Understudy|<\?xml )[^]*createScenarioJob:429/);
        merged++;
    };

    for (const { language, text } of blocks()) {
        if (language === 'ini') continue; // below
        if (language === 'text') {
            assert.equal(plain(answer, server.port), plain(text, server.port));
            lost = false;
            checked++;
            continue;
        }
        assert.ok(!lost, `${answer}, which the README does not show`);
        if (language === 'json') {
            if (text.includes('already exists')) answer = await shell(lastCreate);
            const own = answer.replaceAll('127.0.0.1', 'localhost');
            assert.equal(plain(own, server.port), plain(text, server.port));
            text.match(ids)?.forEach((id, index) => known.set(id, own.match(ids)[index]));
            checked++;
            continue;
        }
        for (const command of commands(text)) {
            if (elsewhere.some(([pattern]) => pattern.test(command)) || command.startsWith('scripts/run ')) continue;
            if (command.startsWith('export ')) {
                exported += `${command}\n`;
                continue;
            }
            if (command.startsWith('understudy report ')) {
                await mergeReports(command);
                continue;
            }
            const [, begins] = texts.find(([pattern]) => pattern.test(command)) ?? [];
            if (begins) {
                assert.match(await shell(`${command} --max-time 1 || true`), begins);
                continue;
            }
            assert.match(command, /^curl -sS? /, 'a command that no test runs');
            if (command.includes('-X POST')) lastCreate = command;
            // Deleting a scenario would take away what the README's next block speaks of: it comes last there.
            if (command.includes('-X DELETE') && command.includes('/api/')) {
                assert.equal(await shell(command.replace('curl -s', 'curl -s -o /dev/null -w %{http_code}')), '204');
                await shell(lastCreate);
                continue;
            }
            answer = await settled(command);
            lost = /^curl: \(\d+\)$/.test(answer) || /format=text|text\/plain/.test(command);
            if (lost) continue;
            assert.doesNotThrow(() => JSON.parse(answer), `${command}\nanswered ${answer}`);
        }
    }
    assert.equal(checked, 35, 'every answer that the README shows was compared');
    assert.equal(merged, 2, 'reports were merged as it is shown');
});

test('README: the options that it starts the server with are taken', async () => {
    const lines = [...readme.matchAll(/^scripts\/run (--.*)$|`scripts\/run (--[^`]*)`/gm)].map((m) => m[1] ?? m[2]);
    assert.equal(lines.length, 2);
    for (const line of lines) {
        const server = await startServer({ args: line.split(' ').filter((word, i, all) => word !== '--db' && all[i - 1] !== '--db') });
        const answer = await fetch(`${server.url}/healthz`);
        assert.equal(answer.status, 200);
        await server.stop();
    }
});

test('README: the configuration of shared staging is taken, and opens the control plane to its token alone', async (t) => {
    const files = [...blocks()].filter(({ language }) => language === 'ini');
    assert.equal(files.length, 1);
    const file = path.join(await temporaryDirectory(t), 'understudy.conf');
    await writeFile(file, files[0].text.replace(':3000', ':0'));
    const { stdout } = await run(process.env.UNDERSTUDY_BIN, ['--config', file, '--check-config']);
    assert.match(stdout, /^callback-policy = private /m);
    const server = await startServer({ args: ['--config', file, '--listen', '0.0.0.0:0'] });
    t.after(() => server.stop());
    const asked = async (headers) => (await fetch(`http://127.0.0.1:${server.port}/_mock/workspaces`, { headers })).status;
    assert.equal(await asked({}), 403);
    const token = files[0].text.match(/^control-token = (.*)$/m)[1];
    assert.equal(await asked({ Authorization: `Bearer ${token}` }), 200);
});

test('README: exit codes are those of --help', async () => {
    const { stdout } = await run(process.env.UNDERSTUDY_BIN, ['--help']);
    const told = stdout.replace(/\s+/g, ' ').match(/Exit codes: (.*)\./)[1];
    for (const [, code] of told.matchAll(/(?:^|, )(\d+) /g)) assert.match(readme, new RegExp(`^\\| ${code} \\|`, 'm'));
    assert.equal(readme.match(/^\| \d+ \|/gm).length, told.match(/(?:^|, )\d+ /g).length);
});
