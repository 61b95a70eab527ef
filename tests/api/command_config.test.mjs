// Wrong configurations: the exit code, a message that names the place, and nothing made.

import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';

import { temporaryDirectory } from './client.mjs';
import { run } from './command.mjs';

const USAGE = 64;
const CONFIG = 78;
const SECRET = 'aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7c';
const KEY = `exec_live_${SECRET}`;

// [what stands in the file, the line that is wrong, what the message says besides]
const FILES = [
    ['qeue-time = 1s', 1, /did you mean "queue-time"/], ['# fine\n\nlisten = 127.0.0.1', 3, /no port/],
    ['queue_time = 1s', 1, /did you mean "queue-time"/], ['colour = red', 1, /unknown option/],
    ['--queue-time = 1s', 1, /queue-time|dashes/], ['queue-time', 1, /name = value/],
    ['queue-time =', 1, /needs a value/], ['= 1s', 1, /unknown option/], ['queue-time = 500', 1, /unit/],
    ['queue-time = 1s\nqueue-time = 2s', 2, /twice.*line 1/], ['queue-time = "1s"', 1, /without quotes/],
    ['queue-time = 1.5s', 1, /whole number/], ['queue-time = -1s', 1, /negative/],
    ['processing-time = 2d', 1, /48h/], ['processing-time = 1 s', 1, /white space/],
    ['processing-time = 999999999h', 1, /too long/], ['max-processing = x', 1, /digit/],
    ['max-processing = -1', 1, /negative/], ['threads = 0', 1, /at least 1/], ['threads = 1.5', 1, /whole/],
    ['threads = 100000', 1, /at most/], ['max-body = 0', 1, /at least 1/], ['max-body = 1MB', 1, /KiB/],
    ['max-body = 65MiB', 1, /at most 64MiB/], ['max-connections = 0', 1, /at least 1/],
    ['max-connections = many', 1, /digit/], ['durability = full', 1, /power or process/],
    ['durability = Power', 1, /did you mean "power"/], ['log-level = trace', 1, /debug/],
    ['log-level = inof', 1, /did you mean "info"/], ['log-format = yaml', 1, /text or json/],
    ['strict-projects = maybe', 1, /true or false/], ['no-defaults = 2', 1, /true or false/],
    ['listen = 3000', 1, /no address/], ['listen = :3000', 1, /no address/], ['listen = ::1:3000', 1, /brackets/],
    ['listen = example.com:80', 1, /not looked up/], ['listen = 127.0.0.1:65536', 1, /65535/],
    ['listen = 127.0.0.1:3000 127.0.0.1:3000', 1, /twice/], ['listen = http://127.0.0.1:3000', 1, /not a URL/],
    ['listen = 256.0.0.1:1', 1, /address/], ['public-url = localhost:3000', 1, /http:\/\//],
    ['public-url = ftp://a', 1, /http:\/\//], ['public-url = http://u@a', 1, /user info/],
    ['public-url = http://a/?b', 1, /query/], ['public-url = http://', 1, /host/],
    ['api-key = exec_live_short', 1, /40/], ['api-key = exec_test_x', 1, /exec_live_/],
    [`api-key = ${KEY}=`, 1, /no workspace/], [`api-key = ${KEY}=Bad_Slug`, 1, /lower-case/],
    [`api-key = ${KEY} ${KEY}=other`, 1, /twice/], ['member = jane', 1, /e-mail/],
    ['member = jane@acme.com=', 1, /no workspace/], ['member = a@b.c A@b.c', 1, /twice/],
    ['config = other.conf', 1, /cannot stand/], ['version = true', 1, /cannot stand/],
    ['db = dir/', 1, /directory/], ['queue-time = 1s\u0001', 1, /\\x01/], ['\xff\xfe', 1, /UTF-8/],
    ['db = \0', 1, /UTF-8|\\x00/],
];

// [arguments, environment, exit code, what the message names]
const OTHERS = [
    [['--queue-time', '5'], {}, CONFIG, /--queue-time.*unit/], [['--queu-time', '5s'], {}, USAGE, /did you mean "--queue-time"/],
    [['--nonsense'], {}, USAGE, /--help/], [['serve'], {}, USAGE, /unexpected argument "serve"/],
    [['healthchek'], {}, USAGE, /did you mean "healthcheck"/], [['help'], {}, USAGE, /did you mean "--help"/],
    [['--queue-time'], {}, USAGE, /needs a value/], [['--queue-time', '--threads', '1'], {}, USAGE, /needs a value/],
    [['--threads', '1', '--threads', '2'], {}, USAGE, /twice/], [['-queue-time', '1s'], {}, USAGE, /--queue-time/],
    [['--help=x'], {}, USAGE, /takes no value/], [['-x'], {}, USAGE, /"-x"/],
    [['--config', 'nowhere.conf'], {}, CONFIG, /nowhere\.conf: cannot be read/], [['--config', '.'], {}, CONFIG, /cannot be read/],
    [['--config', ''], {}, CONFIG, /--config/], [['--db', ''], {}, CONFIG, /--db/],
    [[], { UNDERSTUDY_QUEUE_TIME: '5' }, CONFIG, /UNDERSTUDY_QUEUE_TIME.*unit/],
    [[], { UNDERSTUDY_QUEU_TIME: '5s' }, CONFIG, /did you mean "UNDERSTUDY_QUEUE_TIME"/],
    [[], { UNDERSTUDY_THREADS: '0' }, CONFIG, /UNDERSTUDY_THREADS/], [[], { UNDERSTUDY_LISTEN: 'x' }, CONFIG, /UNDERSTUDY_LISTEN/],
    [[], { UNDERSTUDY_STRICT_PROJECTS: 'maybe' }, CONFIG, /UNDERSTUDY_STRICT_PROJECTS/],
    [[], { UNDERSTUDY_API_KEY: 'x' }, CONFIG, /UNDERSTUDY_API_KEY/], [[], { UNDERSTUDY_CONFIG: 'nowhere.conf' }, CONFIG, /nowhere\.conf/],
    [['--strict-projects=maybe'], {}, CONFIG, /--strict-projects/], [['--threads', '0', '--nonsense'], {}, USAGE, /nonsense/],
    [['healthcheck', 'localhost'], {}, CONFIG, /healthcheck/], [['healthcheck', 'http://a', 'b'], {}, USAGE, /unexpected/],
];

async function assertNothingMade(directory, files) {
    assert.deepEqual((await readdir(directory)).sort(), files);
}

describe('The command, wrong configurations', () => {
    for (const [text, line, message] of FILES)
        it(`78: ${JSON.stringify(text.replace(SECRET, '…'))}`, async (t) => {
            const directory = await temporaryDirectory(t);
            await writeFile(path.join(directory, 'my.conf'), text, /[^\x00-\x7f]/.test(text) ? 'latin1' : 'utf8');
            const result = await run(['--config', 'my.conf'], { cwd: directory });
            assert.equal(result.code, CONFIG, result.stderr);
            assert.equal(result.stdout, '');
            assert.ok(result.stderr.includes(`my.conf:${line}: `), result.stderr);
            assert.match(result.stderr, message);
            assert.match(result.stderr, /^(understudy: [^\n]+\n)+$/);
            assert.ok(!result.stderr.includes(SECRET), 'a key is not shown');
            await assertNothingMade(directory, ['my.conf']);
        });

    for (const [args, env, code, message] of OTHERS)
        it(`${code}: ${JSON.stringify(env)} ${args.join(' ')}`, async (t) => {
            const directory = await temporaryDirectory(t);
            const result = await run(args, { env, cwd: directory });
            assert.equal(result.code, code, result.stderr);
            assert.equal(result.stdout, '');
            assert.match(result.stderr, message);
            await assertNothingMade(directory, []);
        });

    it('78: every mistake is told, with its line, in one go', async (t) => {
        const directory = await temporaryDirectory(t);
        await writeFile(path.join(directory, 'my.conf'),
            'queue-time = 5\n# fine\nthreads = 2\nthreds = 2\n\nlog-level = loud\n');
        const result = await run(['--config', 'my.conf', '--max-body', '0'], { cwd: directory,
            env: { UNDERSTUDY_DURABILITY: 'none' } });
        assert.equal(result.code, CONFIG);
        for (const place of ['my.conf:1: ', 'my.conf:4: ', 'my.conf:6: ', '--max-body', 'UNDERSTUDY_DURABILITY'])
            assert.ok(result.stderr.includes(place), `${place} in ${result.stderr}`);
        assert.equal(result.stderr.trim().split('\n').length, 5);
        await assertNothingMade(directory, ['my.conf']);
    });

    it('--check-config prints what counts and where it is from, makes nothing, hides keys', async (t) => {
        const directory = await temporaryDirectory(t);
        await writeFile(path.join(directory, 'my.conf'), 'queue-time = 1s\nthreads = 3 # three\nmax-body = 2MiB\n');
        const result = await run(['--check-config', '--config', 'my.conf', '--threads', '2', '--api-key', KEY],
            { cwd: directory, env: { UNDERSTUDY_THREADS: '4', UNDERSTUDY_MAX_BODY: '3MiB' } });
        assert.equal(result.code, 0, result.stderr);
        const line = (name) => result.stdout.split('\n').find((text) => text.startsWith(`${name} = `));
        assert.match(line('queue-time'), /= 1s +# my\.conf:1$/);
        assert.match(line('threads'), /= 2 +# --threads$/);
        assert.match(line('max-body'), /= 3MiB +# UNDERSTUDY_MAX_BODY$/);
        assert.match(line('processing-time'), /= 2s +# default$/);
        assert.match(line('api-key'), /zA7c/);
        assert.ok(!(result.stdout + result.stderr).includes(SECRET));
        await assertNothingMade(directory, ['my.conf']);
    });

    it('--help tells every option, --version every library, and both make nothing', async (t) => {
        const directory = await temporaryDirectory(t);
        const source = await readFile(new URL('../../src/config.c', import.meta.url), 'utf8');
        const names = [...source.matchAll(/\{\.name = "([a-z-]+)"/g)].map(([, name]) => name);
        assert.ok(names.length >= 19, `${names}`);
        for (const flag of ['--help', '-h']) {
            const { code, stdout, stderr } = await run([flag, '--nonsense'], { cwd: directory });
            assert.equal(code, 0);
            assert.equal(stderr, '');
            for (const name of names) assert.match(stdout, new RegExp(`--${name}\\b`));
            assert.match(stdout, /UNDERSTUDY_QUEUE_TIME/);
            for (const exit of [64, 65, 69, 73, 75, 77, 78]) assert.match(stdout, new RegExp(`\\b${exit}\\b`));
        }
        for (const flag of ['--version', '-V']) {
            const { code, stdout } = await run([flag], { cwd: directory });
            assert.equal(code, 0);
            assert.match(stdout, /^understudy \d+\.\d+\.\d+\n/);
            for (const library of ['libmicrohttpd', 'SQLite', 'jansson', 'libcurl', 'libunistring', 'nettle'])
                assert.match(stdout, new RegExp(`^${library} \\d+(\\.\\d+)+$`, 'm'));
        }
        await assertNothingMade(directory, []);
    });
});
