// --report FILE: the report of all that a server answered, when it has stopped.

import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { serve, studio, temporaryDirectory } from './client.mjs';
import { control } from './control.mjs';
import { exercised, likeness, reportOf } from './report.mjs';

const readJson = async (file) => JSON.parse(await readFile(file, 'utf8'));

test('each file is written by its extension, with what GET /report said', async (t) => {
    const directory = await temporaryDirectory(t);
    const files = ['a.json', 'b.md', 'c.xml'].map((name) => path.join(directory, name));
    const server = await serve(t, { args: files.flatMap((file) => ['--report', file]) });
    await control(server).make({ run: 'ci-42' });
    await studio(server).newJob({ request_id: 'r-1' });
    const report = await reportOf(server);
    assert.deepEqual(await readdir(directory), [], 'not before');
    await server.stop();
    assert.deepEqual(await readdir(directory), ['a.json', 'b.md', 'c.xml']);
    assert.deepEqual(likeness(await readJson(files[0])), likeness(report));
    assert.match(await readFile(files[1], 'utf8'), /^# [^]*ci-42/);
    assert.match(await readFile(files[2], 'utf8'), /^<\?xml [^]*<\/testsuites>\s*$/);
    for (const file of files) assert.ok(server.stderr.includes(`report written file=${file}`));
});

test('it holds every request that was answered, also those of the last moment', async (t) => {
    const file = path.join(await temporaryDirectory(t), 'report.json');
    const server = await startServer({ args: ['--report', file, '--threads', '4'] });
    let sent = 0;
    let answered = 0;
    const client = async () => {
        const api = studio(server);
        for (;;) {
            sent += 1;
            const made = answered % 3 ? api.getJob('x') : api.newJob();
            if (!await made.catch(() => null)) return;
            answered += 1;
            if (answered === 300) server.stop();
        }
    };
    await Promise.all(Array.from({ length: 16 }, client));
    await server.stop();
    const { requests: { total } } = await readJson(file);
    assert.ok(answered >= 300);
    assert.ok(total >= answered && total <= sent, `${answered} <= ${total} <= ${sent}`);
});

test('counters begin with the server, and the file is replaced', async (t) => {
    const directory = await temporaryDirectory(t);
    const file = path.join(directory, 'report.json');
    const start = () => serve(t, { db: path.join(directory, 'store.db'), args: ['--report', file] });
    await writeFile(file, 'what was there before'.repeat(10_000));
    await chmod(file, 0o640);
    const first = await start();
    await control(first).make({ slug: 'kept', run: 'ci-42' });
    await studio(first).newJob();
    await first.stop();
    assert.equal(exercised(await readJson(file))['createScenarioJob:201'], 1);
    assert.equal((await stat(file)).mode & 0o777, 0o640);
    const second = await start();
    const { runs, requests } = await reportOf(second);
    assert.deepEqual(runs, ['ci-42'], 'its workspace is still there');
    assert.deepEqual(requests, { total: 0, unattributed: 0 });
    await second.stop();
    assert.deepEqual(exercised(await readJson(file)), {});
    assert.deepEqual((await readdir(directory)).filter((name) => name.startsWith('report')),
        ['report.json'], 'nothing is left beside it');
});

test('a server that is killed leaves what was there', async (t) => {
    const file = path.join(await temporaryDirectory(t), 'report.json');
    await writeFile(file, 'before');
    const server = await startServer({ args: ['--report', file] });
    await studio(server).newJob();
    await server.kill('SIGKILL');
    assert.equal(await readFile(file, 'utf8'), 'before');
});

test('what cannot be written at the start ends it with 73, and nothing is touched', async (t) => {
    const directory = await temporaryDirectory(t);
    const db = path.join(directory, 'store.db');
    await symlink('/dev/null', path.join(directory, 'null.json'));
    await mkdir(path.join(directory, 'folder.md'));
    for (const [name, reason] of [['none/report.json', 'cannot be created: No such file'],
        ['folder.md', 'is there already, and is no file'],
        ['null.json', 'is there already, and is no file']]) {
        const file = path.join(directory, name);
        const failed = startServer({ db, args: ['--report', file] });
        await assert.rejects(failed, (error) => error.message.includes('ended with code 73')
            && error.message.includes(`--report "${file}": ${reason}`), name);
    }
    assert.deepEqual((await readdir(directory)).sort(), ['folder.md', 'null.json']);
});

test('what cannot be written at the end is logged, the rest is written: 74', async (t) => {
    const directory = await temporaryDirectory(t);
    const gone = path.join(directory, 'gone');
    await mkdir(gone);
    const files = [path.join(gone, 'a.json'), path.join(directory, 'b.json')];
    const server = await startServer({ args: files.flatMap((file) => ['--report', file]) });
    await studio(server).newJob();
    await rm(gone, { recursive: true });
    assert.deepEqual(await server.kill('SIGTERM'), { code: 74, signal: null });
    assert.match(server.stderr, /error the report was not written file=\S*a\.json reason="cannot be/);
    assert.equal((await readJson(files[1])).requests.total, 1);
});
