// understudy report: what it merges, what fails, what it says of files and servers that are no good,
// and where the token goes. C7: who may ask, as far as the one who asks can tell.

import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';

import { DEFAULT_KEY, temporaryDirectory } from './client.mjs';
import { run } from './command.mjs';
import { FINDING, giveReport, reportOf } from './shards.mjs';

const TOKEN = 'a-token-that-nobody-sees';

const report = (args, options) => run(['report', ...args], options);

/** Writes documents, or texts, as files; resolves to their names. */
async function files(t, ...documents) {
    const directory = await temporaryDirectory(t);
    return Promise.all(documents.map(async (document, index) => {
        const file = path.join(directory, `shard-${index}.json`);
        await writeFile(file, typeof document === 'string' || Buffer.isBuffer(document) ? document
            : JSON.stringify(document));
        return file;
    }));
}

/** Runs it; it must end with that code, say every one of `words` on stderr, and no token anywhere. */
async function fails(code, args, words, options) {
    const result = await report(args, options);
    assert.equal(result.code, code, result.stderr);
    for (const one of [words].flat()) assert.ok(result.stderr.includes(one), `${one}\n---\n${result.stderr}`);
    for (const line of result.stderr.trimEnd().split('\n')) assert.match(line, /^understudy report: /);
    assert.doesNotMatch(result.stdout + result.stderr, new RegExp(TOKEN));
    return result;
}

describe('Shards', () => {
    it('of files and servers become one report', async (t) => {
        const [file] = await files(t, reportOf({ 'createScenarioJob:201': 3 }, { findings: [FINDING] }));
        const server = await giveReport(t, reportOf({ 'createScenarioJob:201': 2, 'getScenarioJob:200': 7 },
            { runs: ['ci-42', 'ci-43'], findings: [FINDING] }));
        const merged = await report([file, server.url, '--format', 'json']);
        assert.equal(merged.code, 0, merged.stderr);
        assert.equal(merged.stderr, '');
        const document = JSON.parse(merged.stdout);
        assert.deepEqual(document.outcomes.map(({ count }) => count), [5, 0, 0, 7]);
        assert.deepEqual(document.covered, { exercised: 2, of: 4 });
        assert.deepEqual(document.requests, { total: 12, unattributed: 0 });
        assert.deepEqual(document.runs, ['ci-42', 'ci-43']);
        assert.deepEqual(document.findings, [{ ...FINDING, count: 4 }]);
        assert.equal(document.workspaces, 2);

        // A merged one is a shard like any other.
        const [again] = await files(t, merged.stdout);
        const twice = JSON.parse((await report([again, file, '--format=json'])).stdout);
        assert.deepEqual(twice.outcomes.map(({ count }) => count), [8, 0, 0, 7]);
    });

    it('are written as a text, Markdown or JUnit, by name or by the file\'s', async (t) => {
        const [file] = await files(t, reportOf({ 'createScenarioJob:201': 3 }, { findings: [FINDING] }));
        const beginnings = { text: /^Report of understudy 0\.1\.0, /, md: /^# Understudy/, junit: /^<\?xml /,
            json: /^\{"understudy"/ };
        assert.match((await report([file])).stdout, beginnings.text);
        for (const [format, beginning] of Object.entries(beginnings)) {
            assert.match((await report([file, '--format', format])).stdout, beginning);
            const end = { text: 'txt', junit: 'xml' }[format] ?? format;
            const output = path.join(path.dirname(file), `out.${end}`);
            const result = await report([file, '--output', output]);
            assert.deepEqual([result.code, result.stdout, result.stderr], [0, '', '']);
            assert.match(await readFile(output, 'utf8'), beginning);
        }
        const output = path.join(path.dirname(file), 'named.md');
        await report([file, '--output', output, '--format', 'json']);
        assert.match(await readFile(output, 'utf8'), beginnings.json);
    });

    it('fail for what --fail-on names, a line each, and are written all the same', async (t) => {
        const [file] = await files(t, reportOf({ 'createScenarioJob:201': 3 }, { findings: [FINDING] }));
        const failed = await fails(1, [file, '--fail-on', 'warning,uncovered=createScenarioJob:429'], []);
        assert.equal(failed.stderr, 'understudy report: warning misspelled_field, 2 times: A field is nearly another\n'
            + 'understudy report: not exercised: createScenarioJob:429\n'
            + 'understudy report: not exercised: createScenarioJob:429:vendor\n');
        assert.match(failed.stdout, /^Report/);
        await fails(1, [file, '--fail-on', 'info'], 'misspelled_field');
        await fails(1, [file, '--fail-on', 'error', '--fail-on', 'uncovered'], 'not exercised: getScenarioJob:200');
        for (const fine of ['error', 'uncovered=createScenarioJob:201'])
            assert.equal((await report([file, '--fail-on', fine])).code, 0);
        await fails(64, [file, '--fail-on', 'uncovered=createScenarioJob:492'],
            'no report knows an outcome "createScenarioJob:492": did you mean "createScenarioJob:429"?');
    });

    it('without a request fail, whatever is asked', async (t) => {
        const [empty, full] = await files(t, reportOf(), reportOf({ 'getScenarioJob:200': 1 }));
        await fails(1, [empty], 'no request was seen at all');
        assert.equal((await report([empty, full])).code, 0);
        const [lost] = await files(t, reportOf({}, { requests: { total: 0, unattributed: 3 } }));
        await fails(1, [lost], 'no request reached a workspace: all came with an unknown key, or with none');
    });
});

describe('A document', () => {
    const whole = JSON.stringify(reportOf({ 'getScenarioJob:200': 1 }), null, 1);
    const wrong = {
        'is empty': ['', ' \n'],
        'is cut off': [whole.slice(0, 500), '{'],
        'is not valid JSON': [`${whole},`, 'PK\x03\x04', Buffer.from([0x7b, 0xff, 0xfe]), '['.repeat(100_000)],
        'is XML or HTML': ['<testsuites/>'],
        'is no report': ['[]', '"a"', '{"title":"Forbidden"}'],
        'is a report of version 2; this program reads version 1': [{ ...reportOf(), version: 2 }],
        'outcomes is missing': [{ ...reportOf(), outcomes: undefined }],
        'requests.total must be a whole number': [{ ...reportOf(), requests: { total: '1', unattributed: 0 } }],
        'line 8: workspaces must be a whole number': [whole.replace('"workspaces": 1', '"workspaces": -1')],
    };
    for (const [words, documents] of Object.entries(wrong))
        it(`that ${words} is refused by its name`, async (t) => {
            const names = await files(t, ...documents);
            await fails(65, names, names.map((name) => `${name}: `).concat(words));
            const server = await giveReport(t, { body: typeof documents[0] === 'object'
                && !Buffer.isBuffer(documents[0]) ? JSON.stringify(documents[0]) : documents[0] });
            await fails(65, [server.url], [`${server.url}: `, words]);
        });

    it('of huge counts and strange names is summed up, and stays what it was', async (t) => {
        const name = '\u0001\u202e</details>|`\n\ud83d\udca9';
        const text = JSON.stringify(reportOf({}, { runs: [name], requests: { total: 111, unattributed: 0 } }))
            .replace('"count":0', '"count":9223372036854775807').replace('"total":111', '"total":9007199254740993');
        const [one, two] = await files(t, text, text);
        const { stdout } = await report([one, two, '--format', 'json']);
        assert.match(stdout, /"count":9223372036854775807\}/);
        assert.match(stdout, /"total":18014398509481986,/);
        assert.deepEqual(JSON.parse(stdout).runs, [name]);
        assert.doesNotMatch((await report([one])).stdout, /[\u0001\u202e]/u);
    });

    it('that is not there is 66, each named; the first that is wrong says the code', async (t) => {
        const [good, bad] = await files(t, reportOf({ 'getScenarioJob:200': 1 }), '');
        const none = `${good}.none`;
        const missing = await fails(66, [good, none, path.dirname(good), bad],
            [`${none}: cannot be opened: No such file`, `${path.dirname(good)}: cannot be read`, `${bad}: is empty`]);
        assert.equal(missing.stdout, '');
        await fails(65, [bad, none], []);
        await fails(66, ['\u001b[2J'], '\\x1b[2J: cannot be opened');
    });
});

describe('The command line', () => {
    const mistakes = [
        [[], 'give the URL of a server, or the file of a report'],
        [['a', ''], 'an argument is empty'],
        [['a', 'a'], '"a" is given twice'],
        [['http://127.0.0.1/?x=1'], 'without user info, query and fragment'],
        [['http://'], '"http://" must be http(s)://HOST'],
        [['ftp://h/a'], '"ftp://h/a" is neither a file nor a URL'],
        [['a', '--formt', 'md'], 'did you mean "--format"?'],
        [['a', '--format', 'xml'], '--format "xml": must be text, json, md or junit'],
        [['a', '--format'], '--format needs a value'],
        [['a', '--output='], '--output'],
        [['a', '--output', 'x', '--output', 'y'], '--output is given twice'],
        [['a', '--fail-on', 'warnings'], 'did you mean "warning"?'],
        [['a', '--fail-on', ''], '--fail-on'],
        [['a', '--fail-on', 'error,,info'], 'has an empty word'],
        [['a', '--run', 'x'], '--run is what servers are asked for'],
        [['http://h', '--run', 'x'.repeat(201)], 'a run\'s label has 1 to 200 bytes'],
        [['http://h', '--run='], '--run'],
        [['a', '--listen', '127.0.0.1:0'], 'unknown option "--listen"'],
        [['a', '--help=yes'], '--help takes no value'],
    ];
    for (const [args, words] of mistakes)
        it(`${args.join(' ').slice(0, 40) || 'nothing'} is 64, and says why`, async () => {
            const { stdout } = await fails(64, args, words);
            assert.equal(stdout, '');
        });

    it('never shows the token, nor what else is secret', async (t) => {
        const [good] = await files(t, reportOf({ 'getScenarioJob:200': 1 }));
        const key = DEFAULT_KEY.slice(-12);
        const env = { UNDERSTUDY_CONTROL_TOKEN: `${TOKEN} ` };
        for (const args of [['--control-token', `${TOKEN}\u0001`], ['--control-token', TOKEN, '--control-token', TOKEN],
            ['--control-tokn', TOKEN], [`--contrl-token=${TOKEN}`], ['--control-token', TOKEN, '--formt', 'x'],
            [`http://user:${TOKEN}@127.0.0.1`], [`http://127.0.0.1/?token=${TOKEN}`], [`ftp://${TOKEN}@h`]])
            await fails(64, [good, ...args], []);
        await fails(64, [good], 'UNDERSTUDY_CONTROL_TOKEN "…": a token has visible', { env });
        await fails(64, [good, '--control-token', 'short'], 'a token has 8 to 256 characters');
        const bad = await fails(64, [good, '--control-token', `${DEFAULT_KEY}x`], '--control-token');
        assert.ok(!bad.stderr.includes(key));
    });

    it('has its own --help, of 80 columns, and is in the server\'s', async () => {
        const { code, stdout, stderr } = await report(['--help', '--nonsense']);
        assert.deepEqual([code, stderr], [0, '']);
        for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
        for (const option of ['--control-token', '--run', '--format', '--output', '--fail-on'])
            assert.ok(stdout.includes(`  ${option} `), option);
        assert.match((await run(['--help'])).stdout, /understudy report URL\|FILE\.\.\. /);
        for (const slip of [['--threads', '2', 'report'], ['reprot', 'a.json']]) {
            const { code: refused, stderr: why } = await run(slip);
            assert.equal(refused, 64);
            assert.match(why, /did you mean "understudy report"\?/);
        }
    });

    it('reads nothing of the environment but the token', async (t) => {
        const [good] = await files(t, reportOf({ 'getScenarioJob:200': 1 }));
        const env = { UNDERSTUDY_FORMAT: 'json', UNDERSTUDY_THREADS: '0', UNDERSTUDY_CONTROL_TOKEN: '' };
        const { code, stdout, stderr } = await report([good], { env });
        assert.deepEqual([code, stderr], [0, '']);
        assert.match(stdout, /^Report/);
    });
});

describe('The output', () => {
    /** A good report, and its directory. */
    async function good(t) {
        const [file] = await files(t, reportOf({ 'getScenarioJob:200': 1 }));
        return [file, path.dirname(file)];
    }

    it('is written whole, beside what others keep open, with its permissions and through a link', async (t) => {
        const [file, directory] = await good(t);
        const target = path.join(directory, 'kept.json'), link = path.join(directory, 'link.json');
        await writeFile(target, 'old');
        await chmod(target, 0o640);
        await symlink(target, link);
        const { ino } = await stat(target);
        assert.equal((await report([file, '--output', link])).code, 0);
        assert.equal(JSON.parse(await readFile(target, 'utf8')).version, 1);
        const after = await stat(target);
        assert.equal(after.mode & 0o777, 0o640);
        assert.notEqual(after.ino, ino); // another file in its place
        assert.deepEqual((await readdir(directory)).filter((name) => name.endsWith('.tmp')), []);
    });

    it('that cannot be written is said, and what was there stays', async (t) => {
        const [file, directory] = await good(t);
        const taken = path.join(directory, 'taken');
        await mkdir(taken, { recursive: true });
        await fails(73, [file, '--output', path.join(directory, 'none', 'x.json')], 'cannot be created: No such file');
        await fails(74, [file, '--output', taken], `${taken}: cannot be written: Is a directory`);
        await fails(74, [file, '--output', '/dev/full'], '/dev/full: cannot be written: No space left');
        assert.ok((await stat('/dev/full')).isCharacterDevice());
        const { code, stderr } = await run(['report', file], { wrapper: ['sh', '-c', 'exec "$@" >/dev/full', 'sh'] });
        assert.equal(code, 74);
        assert.match(stderr, /standard output: cannot be written/);
    });

    it('is not written where a source is no good, or --fail-on names what nobody knows', async (t) => {
        const [file, directory] = await good(t);
        const target = path.join(directory, 'not.json');
        await fails(66, [file, `${file}.none`, '--output', target], []);
        await fails(64, [file, '--fail-on', 'uncovered=nonsense', '--output', target], 'no report knows');
        await assert.rejects(stat(target), { code: 'ENOENT' });
        await fails(1, [file, '--fail-on', 'uncovered', '--output', target], 'not exercised');
        assert.equal(JSON.parse(await readFile(target, 'utf8')).version, 1);
    });

    it('goes to pipes as it is', async (t) => {
        const [file] = await good(t);
        const result = await report([file, '--format', 'json', '--output', '/dev/stdout'],
            { wrapper: ['sh', '-c', '"$@" | cat', 'sh'] });
        assert.equal(result.code, 0, result.stderr);
        assert.equal(JSON.parse(result.stdout).version, 1);
    });
});
