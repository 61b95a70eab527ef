// Another process that holds a store's write lock.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { until } from '../api/client.mjs';

/** Takes the write lock from another process; resolves to a function that lets go of it. */
export async function holdLock(t, db) {
    const holder = spawn('sqlite3', ['-bail', db], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => holder.kill('SIGKILL'));
    holder.stdin.write('PRAGMA busy_timeout=5000;\nBEGIN IMMEDIATE;\nSELECT \'held\';\n');
    let told = '';
    holder.stdout.on('data', (text) => { told += text; });
    await until(() => told.includes('held'));
    return async () => {
        holder.stdin.end('ROLLBACK;\n');
        await once(holder, 'exit');
    };
}
