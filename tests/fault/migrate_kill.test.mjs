// kill -9 inside the migrations, at each of their statements: the layout before them, or the one after.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { sql, studio, temporaryDirectory } from '../api/client.mjs';
import { makeFaults } from '../support/faults.mjs';
import { startServer } from '../support/server.mjs';

const SCHEMA = new URL('../../schema/', import.meta.url);
const APPLICATION_ID = 0x55447374;
const WORKSPACES = 3;
const run = promisify(execFile);

async function migrations() {
    const names = (await readdir(SCHEMA)).filter((name) => name.endsWith('.sql')).sort();
    return Promise.all(names.map((name) => readFile(new URL(name, SCHEMA), 'utf8')));
}

/** A store of that layout, as a server of that version left it, with something in it. */
async function makeStore(db, files, layout) {
    const inserts = Array.from({ length: WORKSPACES }, (_, i) => 'INSERT INTO workspace (id, slug, name, project_id, created_at)'
        + ` VALUES ('0000000000${i}', 's${i}', 'n${i}', 'p${i}', ${i});`);
    const text = ['BEGIN;', ...files.slice(0, layout), ...inserts,
        `PRAGMA application_id=${APPLICATION_ID}; PRAGMA user_version=${layout}; COMMIT; PRAGMA journal_mode=WAL;`].join('\n');
    await run('sqlite3', ['-bail', db, text]);
}

/** What a store looks like; its rows are looked at apart. */
async function shapeOf(db) {
    return JSON.stringify(await sql(db, 'SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name'));
}

async function layoutOf(db) {
    return (await sql(db, 'PRAGMA user_version'))[0].user_version;
}

/** Starts a server that is killed before a statement; whether it was, and not ready before. */
async function startAndKill(t, db, statement) {
    const faults = makeFaults(t, path.dirname(db), { statements: statement });
    const child = spawn(process.env.UNDERSTUDY_BIN, ['--listen', '127.0.0.1:0', '--db', db],
        { stdio: ['ignore', 'pipe', 'ignore'], env: { PATH: process.env.PATH, ...faults.env } });
    const ended = once(child, 'exit');
    t.after(() => child.kill('SIGKILL'));
    let isReady = false;
    child.stdout.once('data', () => { isReady = true; child.kill('SIGKILL'); });
    await ended;
    return !isReady;
}

/** How many statements a start takes that finds such a store. */
async function countStatements(t, db) {
    const faults = makeFaults(t, path.dirname(db));
    const server = await startServer({ db, env: faults.env });
    const count = faults.get('begun');
    await server.stop();
    return count;
}

for (const [name, from] of [['a new store', 0], ['a store of the first layout', 1]]) {
    test(`kill -9 at each statement of the migrations of ${name}: the old layout or the new one, never between`, async (t) => {
        const files = await migrations();
        const shapes = await Promise.all(files.map(async (_, i) => {
            const db = path.join(await temporaryDirectory(t), 'store.db');
            await makeStore(db, files, i + 1);
            return shapeOf(db);
        }));
        const old = path.join(await temporaryDirectory(t), 'old.db');
        if (from) await makeStore(old, files, from);
        const begin = async () => {
            const db = path.join(await temporaryDirectory(t), 'store.db');
            if (from) await copyFile(old, db);
            return db;
        };
        const count = await countStatements(t, await begin());
        const layouts = {};
        let whole = 0; // starts that were through with the migrations
        for (let statement = 0; statement < count && whole < 3; statement += 1) {
            const db = await begin();
            assert.ok(await startAndKill(t, db, statement), `statement ${statement}`);
            const layout = await layoutOf(db);
            layouts[layout] = (layouts[layout] ?? 0) + 1;
            assert.ok(layout === from || layout === files.length, `statement ${statement}: layout ${layout}`);
            if (layout) assert.equal(await shapeOf(db), shapes[layout - 1], `statement ${statement}`);
            else assert.equal(await shapeOf(db), '[]');
            assert.deepEqual(await sql(db, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
            whole += layout === files.length;
            const next = await startServer({ db });
            assert.equal((await studio(next).newJob()).status, 'queued');
            await next.stop();
            assert.equal(await shapeOf(db), shapes.at(-1));
            if (from) assert.equal((await sql(db, "SELECT count(*) AS n FROM workspace WHERE slug LIKE 's_'"))[0].n, WORKSPACES);
        }
        assert.deepEqual(Object.keys(layouts).map(Number), [from, files.length]);
        t.diagnostic(`statements killed at, by the layout that was there: ${JSON.stringify(layouts)}`);
    });
}
