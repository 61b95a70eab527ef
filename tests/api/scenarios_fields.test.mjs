// What the Scenarios API takes and gives back in each field: types, numbers, nested values.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startServer } from '../support/server.mjs';
import { scenarios } from './client.mjs';

const STRING = 'a string';
const WHAT = {
    name: STRING, instructions: STRING,
    messages: 'an array of objects with a string role and a content',
    maxMessages: 'a whole number of at least 1', successCriteria: STRING, failureCriteria: STRING,
    failureCriteriaMode: '"on_max_messages" or "every_turn"', evaluators: 'an array of objects',
    personaIds: 'an array of strings',
};
const NO_STRING = ['0', '1.5', 'true', 'false', '[]', '["x"]', '{}'];
const NO_ARRAY = ['"x"', '""', '0', 'true', 'false', '{}', '{"0":{}}'];
// The raw JSON of every value that a field must not have; null is as absent.
const WRONG = {
    name: NO_STRING, instructions: NO_STRING, successCriteria: NO_STRING,
    failureCriteria: NO_STRING,
    failureCriteriaMode: [...NO_STRING, '""', '"ON_MAX_MESSAGES"', '"every_turn "', '"never"'],
    maxMessages: ['0', '-1', '1.5', '0.9999999999999999', '"10"', '""', 'true', 'false', '[]', '[1]',
        '{}', '0.0', '-0', '1e-3', '-1e3', '-9223372036854775808', '1e308'],
    messages: [...NO_ARRAY, '[1]', '[null]', '["x"]', '[[]]', '[{}]', '[{"role":"user"}]',
        '[{"content":"x"}]', '[{"role":1,"content":"x"}]', '[{"role":null,"content":"x"}]',
        '[{"role":"user","content":"x"},{}]', '[{"Role":"user","content":"x"}]'],
    evaluators: [...NO_ARRAY, '[1]', '["x"]', '[null]', '[[]]', '[{},1]', '[true]'],
    personaIds: [...NO_ARRAY, '[1]', '[null]', '[{}]', '[["x"]]', '["x",1]', '[true]'],
};
// As sent, and the shortest form of the same number.
const NUMBERS = [
    ['0', '0'], ['-0', '0'], ['-0.0', '0'], ['0e5', '0'], ['0.0', '0'], ['1', '1'], ['1.0', '1'],
    ['-1.0', '-1'], ['10.0', '10'], ['0.1', '0.1'], ['0.10', '0.1'], ['1e0', '1'], ['1E5', '100000'],
    ['1e5', '100000'], ['1e+5', '100000'], ['1.5e3', '1500'], ['123e-2', '1.23'],
    ['1e20', '1e+20'], ['1e21', '1e+21'], ['-1e21', '-1e+21'], ['1e22', '1e+22'],
    ['123456789012345680000.0', '1.2345678901234568e+20'], ['1.2345e25', '1.2345e+25'],
    ['0.000001', '0.000001'], ['1e-6', '0.000001'], ['1e-7', '1e-7'], ['0.00000123', '0.00000123'],
    ['0.000000123', '1.23e-7'], ['5e-324', '5e-324'], ['4.9406564584124654e-324', '5e-324'],
    ['1e-400', '0'], ['2.2250738585072014e-308', '2.2250738585072014e-308'],
    ['1.7976931348623157e308', '1.7976931348623157e+308'], ['0.30000000000000004', '0.30000000000000004'],
    ['0.1000000000000000055511151231257827', '0.1'], ['9007199254740993.0', '9007199254740992'],
    ['3.141592653589793', '3.141592653589793'], ['123456.789', '123456.789'], ['1e23', '1e+23'],
    ['9.5e-7', '9.5e-7'], ['100.0', '100'], ['1.0e2', '100'], ['99999999999999990000.0', '9.999999999999998e+19'],
    ['9007199254740991', '9007199254740991'], ['9007199254740993', '9007199254740993'],
    ['-9007199254740993', '-9007199254740993'], ['9223372036854775807', '9223372036854775807'],
    ['-9223372036854775808', '-9223372036854775808'],
];
// 1e-6 to 1e21 in plain notation is JavaScript's rule; these are where JavaScript can tell itself, but for
// what as an integer would have more than 64 bits, and could not be sent back (H2).
const JAVASCRIPT = NUMBERS.filter(([sent]) => Math.abs(Number(sent)) < 2 ** 63 &&
    (/[.e]/i.test(sent) || Number.isSafeInteger(Number(sent))));

let server;
let count = 0;

const fresh = () => scenarios(server, { project: `fields-${count += 1}` });

function assertFails(answer, status, message, what) {
    assert.equal(`${answer.status} ${answer.text}`,
        `${status} ${JSON.stringify({ error: message })}`, what);
}

/** Creates and gets a scenario whose evaluators are one object around `value`; its text there. */
async function kept(value) {
    const project = fresh();
    const created = await project.create(`{"name":"x","evaluators":[{"v":${value}}]}`);
    assert.equal(created.status, 201, `${value}: ${created.text}`);
    const got = await project.get(created.body.id);
    assert.equal(got.text, created.text);
    const match = /"evaluators":\[\{"v":(.*)\}\],"createdAt"/su.exec(got.text);
    assert.ok(match, got.text);
    return match[1];
}

describe('Scenarios API, fields', () => {
    before(async () => { server = await startServer(); });
    after(() => server.stop());

    for (const [field, values] of Object.entries(WRONG)) {
        it(`E8: ${field} refuses ${values.length} wrong values at creation and update`, async () => {
            const project = fresh();
            const first = await project.create({ name: 'first' });
            for (const value of values) {
                const message = field === 'name' && value === '""' ? 'Name is required'
                    : `${field} must be ${WHAT[field]}`;
                const name = field === 'name' ? '' : '"name":"x",';
                assertFails(await project.create(`{${name}"${field}":${value}}`), 400, message, value);
                assertFails(await project.update(first.body.id, `{"${field}":${value}}`), 400, message,
                    value);
            }
            assert.equal((await project.list()).text, `[${first.text}]`);
        });
    }

    it('E8: of several wrong fields the first in the document is named', async () => {
        const project = fresh();
        const fields = Object.keys(WHAT);
        for (let i = 1; i < fields.length; i += 1) {
            const members = fields.slice(i).map((field) => `"${field}":${WRONG[field][0]}`).reverse();
            assertFails(await project.create(`{${members.join(',')},"name":"x"}`), 400,
                `${fields[i]} must be ${WHAT[fields[i]]}`);
        }
        assertFails(await project.create('{"maxMessages":0}'), 400, 'Name is required');
    });

    it('E8: a refused update changes nothing, also not the fields that were right', async () => {
        const project = fresh();
        const first = await project.create({ name: 'x', instructions: 'keep' });
        await project.update(first.body.id, { name: 'y', instructions: 'lost', maxMessages: 0 });
        assert.equal((await project.get(first.body.id)).text, first.text);
        assert.equal((await project.create({ name: 'y' })).status, 201);
    });

    it('E8: maxMessages is a whole number however it is written', async () => {
        const project = fresh();
        const right = [['1', '1'], ['10.0', '10'], ['1e3', '1000'], ['1.5e1', '15'],
            ['9007199254740992', '9007199254740992'], ['9007199254740993', '9007199254740993'],
            ['9007199254740992.0', '9007199254740992'],
            ['9223372036854775807', '9223372036854775807'], ['2147483648', '2147483648']];
        for (const [sent, shown] of right) {
            const created = await project.create(`{"name":"${sent}","maxMessages":${sent}}`);
            assert.equal(created.status, 201, `${sent}: ${created.text}`);
            assert.ok(created.text.includes(`"maxMessages":${shown},`), created.text);
            const updated = await project.update(created.body.id, `{"maxMessages":${sent}}`);
            assert.ok(updated.text.includes(`"maxMessages":${shown},`), updated.text);
        }
    });

    it('E8: numbers come back as the same number, in the shortest form', async () => {
        for (const [sent, shown] of NUMBERS) assert.equal(await kept(sent), shown, sent);
        for (const [sent, shown] of JAVASCRIPT)
            assert.equal(JSON.stringify(JSON.parse(sent)), shown, `the table itself: ${sent}`);
    });

    it('E8: 500 doubles of every size come back as JavaScript writes them', async () => {
        // A fixed sequence (xorshift), so that a failure can be had again.
        let state = 0x9e3779b97f4a7c15n;
        const next = () => {
            state ^= (state << 13n) & 0xffffffffffffffffn;
            state ^= state >> 7n;
            state ^= (state << 17n) & 0xffffffffffffffffn;
            return state;
        };
        const view = new DataView(new ArrayBuffer(8));
        const numbers = [];
        while (numbers.length < 500) {
            view.setBigUint64(0, next());
            const number = view.getFloat64(0);
            const isWide = Math.abs(number) >= 2 ** 63 && Math.abs(number) < 1e21; // see JAVASCRIPT
            if (Number.isFinite(number) && !isWide) numbers.push(number);
        }
        const sent = numbers.map((number) => {
            const text = number.toExponential();
            assert.equal(Number(text), number);
            return text;
        });
        assert.equal(await kept(`[${sent}]`), JSON.stringify(numbers));
    });

    it('H2, E8: an integer beyond 64 bits and 1e400 are 400, in any place', async () => {
        const project = fresh();
        for (const number of ['9223372036854775808', '-9223372036854775809', '1e400', '-1e309',
            `1${'0'.repeat(400)}`])
            for (const body of [`{"name":"x","evaluators":[{"v":${number}}]}`,
                `{"name":"x","maxMessages":${number}}`, `{"name":"x","unknown":${number}}`]) {
                const answer = await project.create(body);
                assert.equal(answer.status, 400, body);
                assert.match(answer.body.error, /^Request body is not valid JSON: .+/);
            }
        assert.equal((await project.list()).text, '[]');
    });

    it('E8: messages and evaluators come back equal: members, order, nesting, text', async () => {
        const values = [
            '{"z":1,"a":2,"10":3,"9":4,"":5," ":6,"B":7,"b":8}',
            '[[],[[]],{},[{}],{"a":{}},null,true,false,"",0]',
            '{"__proto__":1,"constructor":{"prototype":[]},"toString":"x"}',
            '"\u00e9 e\u0301 \u4e16\u754c \u{1f600} \u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u05d0\u0301 \u202e\u2066\ufeff\u2028\u2029\u007f\u0080"',
            '{"\u00e9":1,"e\u0301":2,"\u{1f600}":3,"\\u0001":4,"\\"":5,"\\\\":6,"/":7}',
            '"\\b\\f\\n\\r\\t\\"\\\\/\\u0000"'.replace('\\u0000', '\\u001f'),
            '"<script>&amp;\\u0001\'; DROP TABLE x;--%s%n${1}../../etc/passwd"',
            JSON.stringify('x'.repeat(100_000)),
            JSON.stringify(Array.from({ length: 5000 }, (_, i) => ({ [`k${i}`]: [i] }))),
        ];
        for (const value of values) assert.equal(await kept(value), value);
    });

    it('E8: white space goes, escapes become what they stand for', async () => {
        assert.equal(await kept(' { "a" :\t[ 1 ,\r\n2 ] } '), '{"a":[1,2]}');
        assert.equal(await kept('"\\u0041\\/\\u00e9\\u4e16\\ud83d\\ude00\\u0022\\u005c\\u000a\\u001F"'),
            '"A/\u00e9\u4e16\u{1f600}\\"\\\\\\n\\u001f"');
    });

    it('H2: of duplicate keys the last wins, on top and inside', async () => {
        assert.equal(await kept('{"a":1,"b":2,"a":3}'), '{"a":3,"b":2}');
        assert.equal(await kept('{"a":{"x":1},"a":{"y":2}}'), '{"a":{"y":2}}');
        assert.equal(await kept('{"a":1,"\\u0061":2}'), '{"a":2}');
        const project = fresh();
        const first = await project.create('{"name":"a","maxMessages":0,"name":"b","maxMessages":2}');
        assert.equal(first.body.name, 'b');
        assert.equal(first.body.maxMessages, 2);
        assertFails(await project.create('{"name":"c","name":""}'), 400, 'Name is required');
        assertFails(await project.create('{"name":"c","name":null}'), 400, 'Name is required');
        assertFails(await project.create('{"name":"c","maxMessages":2,"maxMessages":0}'), 400,
            'maxMessages must be a whole number of at least 1');
    });

    it('E8: messages keep what stands beside role and content, and any content', async () => {
        const project = fresh();
        const messages = [
            '{"role":"user","content":"hi"}', '{"content":"first","role":"assistant"}',
            '{"role":"","content":""}', '{"role":"tool","content":[{"type":"text","text":"x"}]}',
            '{"role":"system","content":{"a":1},"extra":[1,2.5],"name":null}',
            '{"role":"user","content":0}', '{"role":"user","content":false}',
        ].join(',');
        const { text, status } = await project.create(`{"name":"x","messages":[${messages}]}`);
        assert.equal(status, 201, text);
        assert.ok(text.includes(`"messages":[${messages}],"failureCriteriaMode"`), text);
    });

    it('E8: unknown fields are dropped, whatever they hold and however they are spelt', async () => {
        const answer = await fresh().create({ name: 'x', Name: 1, max_messages: 'x', maxmessages: [],
            evaluator: {}, '': 1, 'name ': 2 });
        assert.equal(answer.status, 201);
        assert.deepEqual(Object.keys(answer.body),
            ['id', 'name', 'failureCriteriaMode', 'createdAt', 'updatedAt']);
    });

    it('E8: personaIds keep order and repeats; nothing is trimmed', async () => {
        const personaIds = ['b', 'a', 'b', '', ' ', '\u00e9', 'e\u0301'];
        assert.deepEqual((await fresh().create({ name: 'x', personaIds })).body.personaIds, personaIds);
    });
});
