// Runs the program to its end, for tests of what it refuses and prints.

import { execFile } from 'node:child_process';

/** Resolves to {code, signal, stdout, stderr}. UNDERSTUDY_ variables of the tests' own are left out. */
export function run(args, { env = {}, cwd, wrapper = [] } = {}) {
    const clean = Object.fromEntries(Object.entries(process.env)
        .filter(([name]) => !name.startsWith('UNDERSTUDY_')));
    const [program, ...all] = [...wrapper, process.env.UNDERSTUDY_BIN, ...args];
    return new Promise((resolve) => {
        execFile(program, all, { env: { ...clean, ...env }, cwd, timeout: 60_000, killSignal: 'SIGKILL' },
            (error, stdout, stderr) => resolve({ code: error ? error.code : 0,
                signal: error?.signal ?? null, stdout, stderr }));
    });
}
