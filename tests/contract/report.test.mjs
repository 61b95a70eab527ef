// What understudy report writes, as others read it: JUnit's XML by a parser of it, Markdown by one of
// GitHub's kind. The documents have what is hard to write in every text.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';

import { parse } from 'junit2json';
import { marked } from 'marked';

import { temporaryDirectory } from '../api/client.mjs';
import { run } from '../api/command.mjs';
import { FINDING, reportOf } from '../api/shards.mjs';

/** What is written of a document, as the format has it. */
async function written(t, document, format, ...args) {
    const file = path.join(await temporaryDirectory(t), 'shard.json');
    await writeFile(file, JSON.stringify(document));
    const { code, stdout, stderr } = await run(['report', file, '--format', format, ...args]);
    assert.ok(code <= 1, stderr);
    return stdout;
}

const hard = ['a|b', '`code` ``', 'x\n\n# heading\r\n\ttab', '<b>&amp;</b>', ']]> --> "\'', '**bold** _it_ ~~s~~ $m$',
    '\\| \\\\', '[link](http://127.0.0.1) ![i](x)', '\ud83d\udca9 \u00e9'];
const never = ['\u0001\u001b[2J', '\ufffe\uffff'];

/** A report with one of those in every name. */
function hardReport(text) {
    const document = reportOf({ 'getScenarioJob:200': 1 }, { findings: [{ ...FINDING, id: text, what: text, why: text,
        examples: [text] }], runs: [text], unlisted: [{ operation: text, status: null, count: 1 }] });
    document.outcomes[3] = { ...document.outcomes[3], id: `${text}:200`, operation: text, summary: text };
    document.request_ids.items.push({ operation: text, request_id: text, sent: 2, made: 1, known: 1, failed: 0,
        other_bodies: 1 });
    document.polling.items.push({ job: text, polls: 1, after_end: 0, shortest: '2s', ended: false });
    return document;
}

describe('JUnit', () => {
    it('has one test case an outcome: passed, skipped or, where that was asked, failed', async (t) => {
        const document = reportOf({ 'createScenarioJob:201': 3 }, { findings: [FINDING] });
        const plain = await parse(await written(t, document, 'junit'));
        assert.deepEqual([plain.tests, plain.failures, plain.errors, plain.skipped], [4, 0, 0, 3]);
        assert.equal(plain.testsuite.length, 1);
        const [suite] = plain.testsuite;
        assert.equal(suite.name, 'outcomes');
        assert.equal(suite.timestamp, '2026-01-02T03:04:05');
        assert.deepEqual(suite.testcase.map(({ classname, name, skipped }) => [classname, name, skipped?.[0].message]), [
            ['createScenarioJob', 'createScenarioJob:201', undefined],
            ['createScenarioJob', 'createScenarioJob:429', 'not exercised'],
            ['createScenarioJob', 'createScenarioJob:429:vendor', 'not exercised'],
            ['getScenarioJob', 'getScenarioJob:200', 'not exercised'],
        ]);

        const failed = await parse(await written(t, document, 'junit', '--fail-on',
            'uncovered=createScenarioJob:429,warning'));
        assert.deepEqual([failed.tests, failed.failures, failed.errors, failed.skipped], [5, 3, 0, 1]);
        assert.deepEqual(failed.testsuite.map(({ name, tests, failures, skipped }) => [name, tests, failures, skipped]),
            [['outcomes', 4, 2, 1], ['findings', 1, 1, 0]]);
        assert.deepEqual(failed.testsuite[0].testcase.map(({ failure }) => failure?.[0].message),
            [undefined, 'not exercised', 'not exercised', undefined]);
        const [finding] = failed.testsuite[1].testcase;
        assert.equal(finding.name, FINDING.id);
        assert.deepEqual(finding.failure, [{ message: FINDING.what, type: 'warning',
            inner: `2 times. ${FINDING.why}\n${FINDING.examples[0]}` }]);

        const none = await parse(await written(t, reportOf(), 'junit'));
        assert.deepEqual([none.tests, none.failures, none.skipped], [5, 1, 4]);
        assert.equal(none.testsuite[1].testcase[0].failure[0].message, 'no request was seen at all');
    });

    for (const text of hard)
        it(`brings back ${JSON.stringify(text)}`, async (t) => {
            const { testsuite } = await parse(await written(t, hardReport(text), 'junit', '--fail-on', 'info'));
            assert.equal(testsuite[0].testcase.length, 4);
            assert.equal(testsuite[0].testcase[3].classname, text);
            assert.equal(testsuite[0].testcase[3].name, `${text}:200`);
            assert.equal(testsuite[1].testcase[0].name, text);
            assert.equal(testsuite[1].testcase[0].failure[0].message, text);
        });

    it('has no character that XML cannot have', async (t) => {
        for (const text of never) {
            const xml = await written(t, hardReport(text), 'junit', '--fail-on', 'info');
            assert.doesNotMatch(xml, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
            const [{ testcase }] = (await parse(xml)).testsuite;
            assert.match(testcase[3].classname, /\ufffd/);
        }
    });
});

/** What a reader sees of a piece of Markdown: its characters, and line breaks as \n. */
function seen(tokens) {
    const entities = { amp: '&', lt: '<', gt: '>', quot: '"' };
    return tokens.map((token) => {
        if (token.type === 'html') return token.raw === '<br>' ? '\n' : assert.fail(`markup: ${token.raw}`);
        if (token.type === 'link' && token.raw === token.href) return token.raw; // a bare URL
        assert.ok(['text', 'escape', 'codespan', 'strong'].includes(token.type), `${token.type}: ${token.raw}`);
        if (token.type === 'strong') return seen(token.tokens);
        return token.text.replace(/&(?:(\w+)|#(\d+));/g, (_, name, code) =>
            (code ? String.fromCharCode(code) : entities[name]));
    }).join('');
}

/** How the report writes what cannot stand on a line. */
const shown = (text) => text.replace(/[\u0000-\u001f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);

describe('Markdown', () => {
    it('says what was exercised and what not, what was wrong, and how', async (t) => {
        const document = reportOf({ 'createScenarioJob:201': 3 }, { findings: [FINDING] });
        const tokens = marked.lexer(await written(t, document, 'md'));
        assert.deepEqual(tokens.filter(({ type }) => type === 'heading').map(({ depth, text }) => [depth, text]),
            [[1, 'Understudy: what the client did'], [2, 'Findings'], [2, 'Outcomes'], [2, 'Idempotency'], [2, 'Polling']]);
        const tables = tokens.filter(({ type }) => type === 'table')
            .map(({ rows }) => rows.map((row) => row.map((cell) => seen(cell.tokens))));
        assert.deepEqual(tables[0], [['warning', FINDING.id, '2', `${FINDING.what}\n${FINDING.why}`, FINDING.examples[0]]]);
        assert.deepEqual(tables[1], [['createScenarioJob', '3', '1 of 3', '429, 429:vendor'],
            ['getScenarioJob', '0', '0 of 1', '200']]);
        assert.deepEqual(tables[2], [['createScenarioJob:201', '3', 'About createScenarioJob:201']]);
    });

    for (const text of [...hard, never[0]])
        it(`shows ${JSON.stringify(text)} as it is`, async (t) => {
            const tokens = marked.lexer(await written(t, hardReport(text), 'md'));
            const tables = tokens.filter(({ type }) => type === 'table');
            assert.equal(tables.length, 6);
            const cells = tables.map(({ rows }) => rows.at(-1).map((cell) => seen(cell.tokens)));
            assert.deepEqual(cells[0], ['warning', shown(text), '2', `${shown(text)}\n${shown(text)}`, shown(text)]);
            assert.deepEqual(cells[1], [shown(text), '1', '1 of 1', '']);
            assert.deepEqual(cells[2], [shown(`${text}:200`), '1', shown(text)]);
            assert.deepEqual(cells[3], [shown(text), 'no answer', '1']);
            assert.deepEqual(cells[4], [shown(text), shown(text), '2', '1', '1', '0', '1']);
            assert.deepEqual(cells[5], [shown(text), '1', '0', '2s', 'no']);
            assert.ok(tokens.every(({ type, raw }) => type !== 'html' || /^<\/?details>/.test(raw)));
        });
});
