// Faults of a server's machine, by support/preload_faults.c.

import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import path from 'node:path';

// In the order of its `struct faults`.
const FIELDS = ['writes', 'syncs', 'error', 'times', 'hits', 'hitAt', 'wallMs', 'statements', 'begun', 'stalls'];
const DEFAULTS = { writes: -1, syncs: -1, error: 5, times: -1, hits: 0, hitAt: 0, wallMs: 0, statements: -1, begun: 0, stalls: 0 };

/** A sanitizer's library wants to be before all others; those that are linked in, are. */
export function sanitizers(bin) {
    const libraries = execFileSync('ldd', [bin], { encoding: 'utf8' });
    return [...libraries.matchAll(/=> (\/\S*lib[at]san\S*)/g)].map(([, file]) => file);
}

/** Numbers that a test shares with a process, which maps the file: a `long long` for each name, in their order. */
export function shareNumbers(t, file, names) {
    const fd = openSync(file, 'w+');
    t.after(() => closeSync(fd));
    const set = (values) => {
        for (const [name, value] of Object.entries(values)) {
            const bytes = Buffer.alloc(8);
            bytes.writeBigInt64LE(BigInt(value));
            writeSync(fd, bytes, 0, 8, 8 * names.indexOf(name));
        }
    };
    const get = (name) => {
        const bytes = Buffer.alloc(8);
        readSync(fd, bytes, 0, 8, 8 * names.indexOf(name));
        return Number(bytes.readBigInt64LE());
    };
    return { set, get };
}

/**
 * Faults for a server that is started with `env`; `set` and `get` work while it runs. They are kept
 * in a file in `directory`, and are for that directory's store.db.
 */
export function makeFaults(t, directory, fields = {}) {
    const file = path.join(directory, `faults-${process.hrtime.bigint()}`);
    const { set, get } = shareNumbers(t, file, FIELDS);
    set({ ...DEFAULTS, ...fields });
    const libraries = [...sanitizers(process.env.UNDERSTUDY_BIN), process.env.UNDERSTUDY_PRELOAD_FAULTS];
    return { set, get, env: { LD_PRELOAD: libraries.join(':'), FAULTS: file } };
}

export const EDQUOT = 122;

/** How often a test does what it does: a few times in CI, by hand as often as the environment's TIMES says. */
export const times = (few) => Number(process.env.TIMES ?? few);
