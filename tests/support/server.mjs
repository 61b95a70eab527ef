// Starts and stops the server for tests of any kind.
//
//     const server = await startServer({ args: ['--queue-time', '20ms'] });
//     try { await fetch(`${server.url}/healthz`); } finally { await server.stop(); }
//
// Nothing here waits for a span of time: starting waits for the line that says the server is ready,
// stopping waits for the exit. The deadlines are there to turn a hang into a failure.

import { spawn } from 'node:child_process';

const READY_LINE = /^understudy (\S+) ready on (http:\/\/\S+)$/m;
const READY_WITHIN_MS = 30_000; // generous: sanitizers and valgrind are slow to start
const EXIT_WITHIN_MS = 30_000; // it promises 10 s under load; sanitizers look for leaks after that

const running = new Set();

// No server outlives the tests, however they end.
process.on('exit', () => {
    for (const child of running) child.kill('SIGKILL');
});

/** The environment without what would set options of the server behind the tests' back. */
function cleanEnvironment(extra) {
    const inherited = Object.entries(process.env)
        .filter(([name]) => !name.startsWith('UNDERSTUDY_'));
    return { ...Object.fromEntries(inherited), ...extra };
}

function has(args, option) {
    return args.some((arg) => arg === option || arg.startsWith(`${option}=`));
}

function deadline(ms, what) {
    let timer;
    const expired = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(what())), ms);
    });
    return { expired, clear: () => clearTimeout(timer) };
}

/**
 * Starts the program that the environment's UNDERSTUDY_BIN names, and waits until it is ready.
 *
 *   args  further options; `--listen` and `--db` in them replace the ones below
 *   env   further environment variables; UNDERSTUDY_… ones of the tests' own are not passed on
 *   db    the store, by default one in memory
 *   bin   the program, where UNDERSTUDY_BIN is not to say
 *
 * Resolves to
 *   url, port, version   of the first listener
 *   pid
 *   stdout, stderr       what was written so far
 *   exited               a promise of {code, signal}
 *   stop()               SIGTERM, then the exit; rejects unless that is code 0; may be called again
 *   kill(signal)         sends the signal, SIGKILL when none is given; resolves to {code, signal}
 *
 * Rejects, with what the program wrote to stderr, when it exits before it is ready.
 */
export async function startServer({ args = [], env = {}, db = ':memory:',
    bin = process.env.UNDERSTUDY_BIN } = {}) {
    if (!bin) throw new Error('set UNDERSTUDY_BIN to the server\'s program');
    const all = [
        ...(has(args, '--listen') ? [] : ['--listen', '127.0.0.1:0']),
        ...(has(args, '--db') ? [] : ['--db', db]),
        ...args,
    ];
    const child = spawn(bin, all,
        { env: cleanEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);

    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
        child[name].setEncoding('utf8');
        child[name].on('data', (text) => { output[name] += text; });
    }
    // 'close' rather than 'exit': by then all output has been read.
    const exited = new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) => resolve({ code, signal }));
    });
    exited.then(() => running.delete(child), () => running.delete(child));

    const command = [bin, ...all].join(' ');
    const [, version, url] = await waitUntilReady(child, exited, output, command);

    function kill(signal = 'SIGKILL') {
        child.kill(signal);
        return waitForExit(child, exited, output, `${command}: no exit after ${signal}`);
    }

    let stopped;
    async function stop() {
        const { code, signal } = await kill('SIGTERM');
        if (code !== 0)
            throw new Error(`${command}: ended with ${signal ?? `code ${code}`} instead of 0\n`
                + output.stderr);
        return { code, signal };
    }

    return {
        url,
        version,
        port: Number(new URL(url).port),
        pid: child.pid,
        get stdout() { return output.stdout; },
        get stderr() { return output.stderr; },
        exited,
        stop: () => (stopped ??= stop()),
        kill,
    };
}

async function waitUntilReady(child, exited, output, command) {
    const ready = new Promise((resolve) => {
        child.stdout.on('data', () => {
            const match = READY_LINE.exec(output.stdout);
            // Only a whole line: its end is in the text.
            if (match && output.stdout[match.index + match[0].length] === '\n') resolve(match);
        });
    });
    const early = exited.then(({ code, signal }) => {
        throw new Error(`${command}: ended with ${signal ?? `code ${code}`} before it was ready\n`
            + output.stderr);
    });
    const { expired, clear } = deadline(READY_WITHIN_MS, () =>
        `${command}: not ready\n${output.stdout}${output.stderr}`);
    try {
        return await Promise.race([ready, early, expired]);
    } catch (error) {
        child.kill('SIGKILL');
        throw error;
    } finally {
        clear();
        early.catch(() => {}); // its later exit is no failure
    }
}

async function waitForExit(child, exited, output, what) {
    const { expired, clear } = deadline(EXIT_WITHIN_MS, () => `${what}\n${output.stderr}`);
    try {
        return await Promise.race([exited, expired]);
    } catch (error) {
        child.kill('SIGKILL');
        throw error;
    } finally {
        clear();
    }
}
