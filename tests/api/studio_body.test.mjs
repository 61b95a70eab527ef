// What the Studio API says to the bodies of its two creations, in which order, and what it keeps.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { assertError, assertInvalid, DEFAULT_MEMBER, job, request, serve, sql, studio,
    temporaryDirectory } from './client.mjs';
import { startServer } from '../support/server.mjs';

const CREATIONS = ['createJob', 'createSession'];
const KELVIN = '\u212a'; // a K, but not an ASCII one

let server;
let api;
before(async () => {
    server = await startServer({ args: ['--queue-time', '1h',
        '--member', 'kim@acme.com', '--member', 'J\u00fcrgen@acme.com'] });
    api = studio(server);
});
after(() => server.stop());

const created = (create, answer, what) =>
    assert.equal(answer.status, create === 'createJob' ? 201 : 200, what ?? answer.text);

/** A valid body whose unknown member `x` is this JSON text. */
const withExtra = (text) => `{"x":${text},${JSON.stringify(job()).slice(1)}`;
const nested = (levels) => '['.repeat(levels) + ']'.repeat(levels);
const inString = (...bytes) => Buffer.concat([
    Buffer.from('{"user_email":"jane@acme.com","prompt":"a'), Buffer.from(bytes), Buffer.from('"}')]);

const NOT_JSON = {
    nothing: '',
    'white space': ' \r\n\t ',
    'a byte order mark': `\ufeff${JSON.stringify(job())}`,
    'UTF-16': Buffer.from(JSON.stringify(job()), 'utf16le'),
    'a second value': `${JSON.stringify(job())}{}`,
    'a word after the value': `${JSON.stringify(job())} x`,
    'a NUL after the value': `${JSON.stringify(job())}\0`,
    'a line comment': `// x\n${JSON.stringify(job())}`,
    'a block comment': `{/* x */${JSON.stringify(job()).slice(1)}`,
    'a trailing comma': JSON.stringify(job()).replace('}', ',}'),
    'single quotes': '{\'user_email\':\'jane@acme.com\'}',
    'a bare name': '{user_email:"jane@acme.com"}',
    'no colon': '{"user_email" "jane@acme.com"}',
    'an open object': '{"user_email":"jane@acme.com"',
    'an open string': '{"user_email":"jane@acme.com',
    'a closing bracket alone': ']',
    form: 'user_email=jane%40acme.com&prompt=x',
    NaN: withExtra('NaN'),
    Infinity: withExtra('-Infinity'),
    '1e400': withExtra('1e400'),
    '2^63': withExtra('9223372036854775808'),
    '-2^63 - 1': withExtra('-9223372036854775809'),
    '30 digits': withExtra('1'.repeat(30)),
    'a leading zero': withExtra('0123'),
    'a plus sign': withExtra('+1'),
    'no digit after the point': withExtra('1.'),
    'no digit before the point': withExtra('.5'),
    hexadecimal: withExtra('0x10'),
    True: withExtra('True'),
    undefined: withExtra('undefined'),
    'an escaped NUL': withExtra('"\\u0000"'),
    'an escaped NUL in a name': '{"a\\u0000b":1}',
    'a lone high surrogate': withExtra('"\\ud83d"'),
    'a lone low surrogate': withExtra('"\\ude00"'),
    'surrogates in the wrong order': withExtra('"\\ude00\\ud83d"'),
    'a high surrogate before a letter': withExtra('"\\ud83dx"'),
    'an unknown escape': withExtra('"\\x41"'),
    'a short escape': withExtra('"\\u12"'),
    'a raw line feed in a string': withExtra('"a\nb"'),
    'a raw tab in a string': withExtra('"a\tb"'),
    'a raw NUL in a string': withExtra('"a\0b"'),
    'an overlong slash': inString(0xc0, 0xaf),
    'an overlong NUL': inString(0xc0, 0x80),
    'an overlong three bytes': inString(0xe0, 0x80, 0xaf),
    'an overlong four bytes': inString(0xf0, 0x80, 0x80, 0xaf),
    'a truncated sequence': inString(0xe2, 0x82),
    'a continuation byte alone': inString(0x80),
    'Latin-1': inString(0xe9),
    'a surrogate in UTF-8': inString(0xed, 0xa0, 0x80),
    'beyond U+10FFFF': inString(0xf4, 0x90, 0x80, 0x80),
    'a byte that UTF-8 never has': inString(0xff),
    'five bytes': inString(0xf8, 0x88, 0x80, 0x80, 0x80),
    '2,049 levels': withExtra(nested(2048)),
    '100,000 levels': withExtra(nested(100_000)),
    'a megabyte of [': '['.repeat(1024 * 1024),
};

describe('S4: a body that is no JSON', () => {
    for (const [name, body] of Object.entries(NOT_JSON)) {
        test(`S4: ${name} → 400 invalid_json`, async () => {
            for (const create of CREATIONS) {
                const { status, body: answer, headers } = await api[create](Buffer.from(body));
                assert.equal(status, 400, create);
                assert.equal(headers['content-type'], 'application/json; charset=utf-8');
                assert.deepEqual(Object.keys(answer.error), ['type', 'code', 'message']);
                assert.equal(answer.error.type, 'invalid_request');
                assert.equal(answer.error.code, 'invalid_json');
                if (body.length)
                    assert.match(answer.error.message, /line \d+, column \d+/, 'it says where');
            }
        });
    }
});

test('S4: the message names the line and the column', async () => {
    const { body } = await api.createJob('{\n  "user_email": "jane@acme.com",\n  "prompt": nope\n}');
    assert.match(body.error.message, /line 3, column 1\d/);
});

for (const text of ['null', 'true', 'false', '0', '-1.5e3', '"text"', '[]', '[{}]',
    `[${JSON.stringify(job())}]`]) {
    test(`S4: ${text.slice(0, 20)} on top is no object`, async () => {
        for (const create of CREATIONS)
            assertInvalid(await api[create](text), 'invalid_json',
                'Request body must be a JSON object');
    });
}

const STILL_JSON = {
    'white space around it': ` \t\r\n${JSON.stringify(job())}\n`,
    '2^63 - 1': withExtra('9223372036854775807'),
    '-2^63': withExtra('-9223372036854775808'),
    '1e308': withExtra('1e308'),
    '100 levels': withExtra(nested(99)),
    '2,048 levels': withExtra(nested(2047)),
    'a name of no characters': withExtra('1').replace('"x"', '""'),
    'a surrogate pair': withExtra('"\\ud83d\\ude00"'),
    '100,000 names': withExtra(JSON.stringify(Object.fromEntries(
        Array.from({ length: 100_000 }, (_, i) => [`k${i}`, 0])))).slice(0, 2 ** 21),
    'escaped names': JSON.stringify(job()).replace('"prompt"', '"\\u0070rompt"'),
    'escaped slashes': withExtra('"\\/"'),
};

for (const [name, body] of Object.entries(STILL_JSON)) {
    test(`S4: ${name} is fine`, async (t) => {
        if (Buffer.byteLength(body) > 1024 * 1024) {
            const roomy = await serve(t, { args: ['--max-body', '4MiB'] });
            created('createJob', await studio(roomy).createJob(body));
        } else {
            for (const create of CREATIONS) created(create, await api[create](body));
        }
    });
}

test('S4: the content type is not looked at', async () => {
    for (const type of [undefined, 'text/plain', 'application/x-www-form-urlencoded', 'image/png',
        'application/json; charset=latin1', ';;;'])
        for (const create of CREATIONS)
            created(create, await api[create](job(), { headers: { 'Content-Type': type } }), type);
});

test('H2: of two members of one name the last counts', async () => {
    created('createJob', await api.createJob('{"prompt":5,"user_email":"jane@acme.com","prompt":"x"}'));
    assertInvalid(await api.createJob('{"prompt":"x","user_email":"jane@acme.com","prompt":null}'),
        null, 'prompt is required');
});

const MISSING = [
    [{}, 'user_email'],
    [{ user_email: undefined }, 'user_email'],
    [{ user_email: null }, 'user_email'],
    [{ user_email: '' }, 'user_email'],
    [{ prompt: undefined }, 'prompt'],
    [{ prompt: null }, 'prompt'],
    [{ prompt: '' }, 'prompt'],
    [{ user_email: '', prompt: '' }, 'user_email'],
    [{ user_email: null, prompt: undefined }, 'user_email'],
    // Before any wrong type or format (S10).
    [{ user_email: 5, prompt: null }, 'prompt'],
    [{ user_email: 'no address', prompt: '' }, 'prompt'],
    [{ prompt: '', callback_url: 5, request_id: 5 }, 'prompt'],
];

for (const [fields, missing] of MISSING) {
    const body = Object.keys(fields).length ? job(fields) : {};
    test(`S5: ${JSON.stringify(body)} → ${missing} is required`, async () => {
        for (const create of CREATIONS)
            assertInvalid(await api[create](body), null, `${missing} is required`);
    });
}

test('S5: nothing but the two is required, and null elsewhere is as absent', async () => {
    created('createJob', await api.createJob(job()));
    created('createSession', await api.createSession(job()));
    created('createJob', await api.createJob(job({ context: null, scenario_slug: null,
        request_id: null, callback_url: null, callback_headers: null })));
    created('createSession', await api.createSession(job({ request_id: null })));
});

test('S5, S6: white space is something, and an empty context is fine', async () => {
    created('createJob', await api.createJob(job({ prompt: ' ', context: '' })));
    created('createSession', await api.createSession(job({ prompt: '\n' })));
});

function assertWrong(answer, field, what) {
    assert.equal(answer.status, 400, `${what}: ${answer.text}`);
    const { type, code, message } = answer.body.error;
    assert.deepEqual([type, code], ['invalid_request', `invalid_${field}`], what);
    assert.ok(message.startsWith(`${field} must be `), message);
    assert.ok(message.length > `${field} must be `.length, message);
}

const JOB_FIELDS = ['user_email', 'prompt', 'context', 'scenario_slug', 'request_id',
    'callback_url', 'callback_headers'];
const SESSION_FIELDS = ['user_email', 'prompt', 'request_id'];
const NO_STRINGS = [0, 1, -1.5, true, false, [], ['x'], {}, { a: 'x' }];

for (const [create, fields] of [['createJob', JOB_FIELDS], ['createSession', SESSION_FIELDS]]) {
    for (const field of fields) {
        test(`S6: ${create}: ${field} of another type`, async () => {
            const wrong = field === 'callback_headers' ? [0, 1, true, false, [], ['x'], 'x', '']
                : NO_STRINGS;
            for (const value of wrong)
                assertWrong(await api[create](job({ [field]: value })), field, JSON.stringify(value));
        });
    }

    test(`S6: ${create}: the fields are looked at in the document's order`, async () => {
        const body = Object.fromEntries(fields.map((field) => [field, 5]).reverse());
        for (const field of fields) {
            assertWrong(await api[create](body), field, 'the first wrong one is named');
            body[field] = job()[field] ?? null;
        }
        created(create, await api[create](body));
    });
}

test('S6, S11: a session does not look at a job\'s fields', async () => {
    created('createSession', await api.createSession(job({ context: 5, scenario_slug: 'none-such',
        callback_url: 'x', callback_headers: 5 })));
});

test('S6: request_id and scenario_slug may not be empty', async () => {
    assertWrong(await api.createJob(job({ scenario_slug: '' })), 'scenario_slug');
    assertWrong(await api.createJob(job({ request_id: '' })), 'request_id');
    assertWrong(await api.createSession(job({ request_id: '' })), 'request_id');
});

const NO_ADDRESSES = ['jane', '@', 'jane@', '@acme.com', 'jane acme.com', 'jane@@acme.com',
    'jane@acme@com', 'jane@acme..com', 'jane@.com', ' jane@acme.com', 'jane@acme.com ',
    'jane @acme.com', 'jane@ acme.com', 'jane@acme.com\n', 'jane@acme.com\r\nBcc: x@y.z',
    'Jane <jane@acme.com>', 'jane@acme.com,joe@acme.com', 'mailto:jane@acme.com', 'jane\t@acme.com',
    'jane@acme.com\u007f', 'jane@-acme.com', 'jane@acme-.com', 'jane@ac_me!.com', '"'];
const STRANGERS = ['nobody@acme.com', 'a+tag@b.co', 'o\'brien@acme.com', 'first.last@sub.example.com',
    'x_y-z@example.org', '1@2.example', 'j\u00fcrgen@ex\u00e4mple.de', 'NOBODY@ACME.COM',
    'a!#$%&*/=?^_`{|}~b@acme.com'];

test('S6: user_email must look like an address', async () => {
    for (const user_email of NO_ADDRESSES)
        for (const create of CREATIONS)
            assertWrong(await api[create](job({ user_email })), 'user_email', user_email);
});

for (const user_email of STRANGERS) {
    test(`S8: ${user_email}, no member → 400, echoed as given`, async () => {
        for (const create of CREATIONS)
            assertInvalid(await api[create](job({ user_email })), 'user_not_found',
                `No user found with email: ${user_email}`);
    });
}

test('S8: ASCII case does not matter, other case does', async () => {
    for (const user_email of ['jane@acme.com', 'JANE@ACME.COM', 'Jane@Acme.Com', 'KIM@acme.com',
        'J\u00fcRGEN@acme.com'])
        for (const create of CREATIONS) created(create, await api[create](job({ user_email })));
    for (const user_email of [`${KELVIN}im@acme.com`, 'J\u00dcRGEN@acme.com', 'Ju\u0308rgen@acme.com'])
        for (const create of CREATIONS)
            assertInvalid(await api[create](job({ user_email })), 'user_not_found',
                `No user found with email: ${user_email}`);
});

const URLS = ['http://127.0.0.1', 'http://127.0.0.1:1/x', 'https://hooks.acme.com/exec-scenarios',
    'HTTPS://hooks.acme.com/x', 'http://localhost:8080', 'http://[::1]:8080/x',
    'https://acme.com/?a=b&c=%20#part', 'https://acme.com:443/', 'https://acme.com/a@b:c',
    'https://acme.com?x'];
const NO_URLS = ['', 'x', '/hook', 'hooks.acme.com', 'hooks.acme.com/x', '//hooks.acme.com/x', 'http:',
    'http:/acme.com', 'http://', 'https:///x', 'http://?x', 'http://#x', 'http:acme.com',
    'ftp://acme.com/x', 'file:///etc/passwd', 'gopher://acme.com/', 'dict://acme.com/',
    'javascript:alert(1)', 'data:text/plain,x', 'ws://acme.com/', 'httpx://acme.com/',
    'https://user@acme.com/', 'https://user:secret@acme.com/', 'https://:secret@acme.com/',
    'https://@acme.com/', ' https://acme.com/', 'https://acme.com/ ', 'https://acme.com/a b',
    'https://acme.com/\r\nX: y', 'https://acme.com/\n', 'https://acme.com/\t', 'https://acme.com:0x50/',
    'https://acme.com:99999/', 'https://acme.com:-1/', 'https://acme.com:port/', 'https://[::1/',
    'https://a b.com/', 'https://acme.com\\@evil.com/', 'https:\\\\acme.com\\x', 'https://acme.com/\u007f'];

test('S6: callback_url: absolute http and https URLs are taken', async () => {
    for (const callback_url of URLS)
        created('createJob', await api.createJob(job({ callback_url })), callback_url);
});

for (const callback_url of NO_URLS) {
    test(`S6: callback_url: ${JSON.stringify(callback_url)} is refused`, async () => {
        assertWrong(await api.createJob(job({ callback_url })), 'callback_url');
    });
}

const RESERVED = ['Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Keep-Alive', 'Upgrade',
    'TE', 'Trailer', 'Expect', 'Proxy-Authorization', 'Proxy-Connection', 'Proxy-X', 'Proxy-',
    'webhook-id', 'webhook-timestamp', 'webhook-signature', 'Webhook-X', 'webhook-'];

for (const name of RESERVED) {
    test(`S6: callback_headers: ${name} is refused in any case`, async () => {
        for (const given of [name, name.toLowerCase(), name.toUpperCase()])
            assertWrong(await api.createJob(job({ callback_headers: { Fine: 'x', [given]: 'x' } })),
                'callback_headers', given);
    });
}

const GOOD_HEADERS = {
    none: {},
    documented: { Authorization: 'Bearer webhook-secret-token' },
    'ours to replace': { 'Content-Type': 'text/x-test', 'User-Agent': 'mine', Accept: '*/*' },
    'much like reserved': { Hosts: 'x', 'X-Host': 'x', 'Content-Lengthy': '1', TEA: 'x', Proxy: 'x',
        Webhook: 'x', 'X-Webhook-Id': 'x', 'X-Proxy-Y': 'x', Trailers: 'x', Expected: 'x' },
    'every token character': { '!#$%&\'*+-.^_`|~09azAZ': 'x' },
    'an empty value': { 'X-Empty': '' },
    'spaces inside': { 'X-Space': 'a b  c' },
    'colons and quotes': { 'X-Odd': 'a: "b"; c=\'d\' \\ <&>' },
    'beyond ASCII': { 'X-Wide': 'Gr\u00fc\u00dfe \u4f60\u597d \ud83d\ude00' },
    'a long value': { 'X-Long': 'v'.repeat(4000) },
    fifty: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`X-${i}`, String(i)])),
    'equal values': { 'X-A': 'same', 'X-B': 'same' },
};

for (const [name, callback_headers] of Object.entries(GOOD_HEADERS)) {
    test(`S6: callback_headers: ${name} are taken`, async () => {
        created('createJob', await api.createJob(job({ callback_headers })));
    });
}

const BAD_NAMES = ['', ' ', 'X Y', ' X', 'X ', 'X:', 'X: y', 'X\tY', 'X\r\nY', 'X\n', 'X(Y)', 'X,Y', 'X/Y',
    'X;Y', 'X=Y', 'X?', 'X@Y', '[X]', '{X}', '"X"', '\\', '<X>', 'X\u007f', 'X\u00e9', '\ud83d\ude00'];

test('S6: callback_headers: names that are no tokens are refused', async () => {
    for (const name of BAD_NAMES)
        assertWrong(await api.createJob(job({ callback_headers: { [name]: 'x' } })),
            'callback_headers', JSON.stringify(name));
});

test('S6: callback_headers: control characters in values are refused', async () => {
    const controls = Array.from({ length: 31 }, (_, i) => i + 1); // also the tab
    for (const code of [...controls, 0x7f])
        assertWrong(await api.createJob(job({
            callback_headers: { 'X-A': `a${String.fromCharCode(code)}b` } })), 'callback_headers',
        `U+${code.toString(16)}`);
    assertWrong(await api.createJob(job({ callback_headers: { 'X-A': 'x\r\nX-B: y' } })),
        'callback_headers');
});

test('S6: callback_headers: white space at a value\'s ends is refused', async () => {
    for (const value of [' x', 'x ', '\tx', 'x\t', ' ', '\t', '  x  '])
        assertWrong(await api.createJob(job({ callback_headers: { 'X-A': value } })),
            'callback_headers', JSON.stringify(value));
});

test('S6: callback_headers: values that are no strings are refused', async () => {
    for (const value of [null, 0, 1.5, true, false, [], ['x'], {}, { a: 'b' }])
        assertWrong(await api.createJob(job({ callback_headers: { 'X-A': 'fine', 'X-B': value } })),
            'callback_headers', JSON.stringify(value));
});

test('S6: callback_headers: two names equal but for case are refused', async () => {
    for (const callback_headers of [{ 'X-A': '1', 'x-a': '1' }, { a: '1', b: '2', A: '3' },
        { Authorization: 'x', Other: 'y', AUTHORIZATION: 'x' }])
        assertWrong(await api.createJob(job({ callback_headers })), 'callback_headers');
});

test('S6: callback_headers without a callback_url are looked at all the same', async () => {
    assertWrong(await api.createJob(job({ callback_headers: { Host: 'x' } })), 'callback_headers');
    created('createJob', await api.createJob(job({ callback_headers: { 'X-A': 'x' } })));
});

// Code points of one to four bytes, and what looks like one character but is two.
const CHARACTERS = { 'one byte': 'a', 'two bytes': '\u00e9', 'three bytes': '\u4f60',
    'four bytes': '\ud83d\ude00' };
const LIMITS = [['prompt', 10_000], ['context', 50_000]];

for (const [field, limit] of LIMITS) {
    const tooLong = `${field} must be ${limit} characters or fewer`;

    for (const [name, character] of Object.entries(CHARACTERS)) {
        test(`S7: ${field}: ${limit} characters of ${name} pass, one more does not`, async () => {
            created('createJob', await api.createJob(job({ [field]: character.repeat(limit) })));
            assertInvalid(await api.createJob(job({ [field]: character.repeat(limit + 1) })),
                `${field}_too_long`, tooLong);
        });
    }

    test(`S7: ${field}: ${limit} escaped surrogate pairs pass, one more does not`, async () => {
        const escaped = (count) => JSON.stringify(job({ [field]: '@' }))
            .replace('"@"', () => `"${'\\ud83d\\ude00'.repeat(count)}"`);
        created('createJob', await api.createJob(escaped(limit)));
        assertInvalid(await api.createJob(escaped(limit + 1)), `${field}_too_long`, tooLong);
    });

    test(`S7: ${field}: a letter and its combining mark are two characters`, async () => {
        const pairs = 'e\u0301'.repeat(limit / 2);
        created('createJob', await api.createJob(job({ [field]: pairs })));
        assertInvalid(await api.createJob(job({ [field]: `${pairs}\u0301` })), `${field}_too_long`,
            tooLong);
    });

    test(`S7: ${field}: white space and escapes count as what they stand for`, async () => {
        created('createJob', await api.createJob(job({ [field]: `x${'\n'.repeat(limit - 1)}` })));
        assertInvalid(await api.createJob(job({ [field]: ` ${'x'.repeat(limit)}` })),
            `${field}_too_long`, tooLong);
    });
}

test('S7: the prompt is measured before the context', async () => {
    const prompt = 'p'.repeat(10_001);
    const context = 'c'.repeat(50_001);
    assertInvalid(await api.createJob(job({ prompt, context })), 'prompt_too_long',
        'prompt must be 10000 characters or fewer');
    assertInvalid(await api.createJob(job({ context })), 'context_too_long',
        'context must be 50000 characters or fewer');
});

test('S7: no other field has a limit of characters', async () => {
    const long = 'x'.repeat(60_000);
    created('createJob', await api.createJob(job({ request_id: long,
        callback_url: `https://acme.com/${long}` })));
    assertError(await api.createJob(job({ scenario_slug: long })), 404, 'not_found', null,
        `Scenario not found: ${long}`);
});

test('S7: a session\'s prompt and context have no limit but the body\'s', async () => {
    for (const length of [10_001, 50_001, 1_000_000])
        created('createSession', await api.createSession(job({ prompt: 'p'.repeat(length) })));
    const body = JSON.stringify(job({ prompt: '@' }));
    const full = body.replace('"@"', () => `"${'p'.repeat(1024 * 1024 - body.length + 1)}"`);
    assert.equal(full.length, 1024 * 1024);
    created('createSession', await api.createSession(full));
    assert.equal((await api.createSession(full.replace('"}', 'p"}'))).status, 413);
});

test('S9: an unknown scenario_slug → 404 without a code, echoed as given', async () => {
    for (const scenario_slug of ['invalid-slug', ' ', 'UPPER', '../../etc/passwd', '%s%n', '"<&>\'',
        '\u4f60\u597d \ud83d\ude00', 'a\nb', '\'; DROP TABLE scenario; --', 'x'.repeat(2000)])
        assertError(await api.createJob(job({ scenario_slug })), 404, 'not_found', null,
            `Scenario not found: ${scenario_slug}`);
});

describe('S10: of two faults, the earlier in the order is answered', () => {
    const long = 'p'.repeat(10_001);
    const known = { request_id: 'order' };
    before(async () => {
        created('createJob', await api.createJob(job(known)));
        created('createSession', await api.createSession(job(known)));
    });

    test('S10: S1 before S4', async () => {
        const answer = await studio(server, { key: null }).createJob('{');
        assert.equal(answer.status, 401);
    });
    test('S10: S4 before S5', async () => {
        assert.equal((await api.createJob('{"user_email":"",}')).body.error.code, 'invalid_json');
        assert.equal((await api.createJob('[]')).body.error.code, 'invalid_json');
    });
    test('S10: S5 before S6', async () => {
        for (const create of CREATIONS)
            assertInvalid(await api[create]({ user_email: 'no address', prompt: '' }), null,
                'prompt is required');
    });
    test('S10: S6 before S7', async () => {
        assertWrong(await api.createJob(job({ prompt: long, callback_headers: { Host: 'x' } })),
            'callback_headers');
    });
    test('S10: S7 before the look-up', async () => {
        assertInvalid(await api.createJob(job({ ...known, prompt: long })), 'prompt_too_long',
            'prompt must be 10000 characters or fewer');
    });
    test('S10: S5 and S6 before the look-up', async () => {
        for (const create of CREATIONS) {
            assertInvalid(await api[create]({ ...known }), null, 'user_email is required');
            assertWrong(await api[create](job({ ...known, user_email: 'x' })), 'user_email');
        }
    });
    test('S10: S7 before S8', async () => {
        assertInvalid(await api.createJob(job({ prompt: long, user_email: 'nobody@acme.com' })),
            'prompt_too_long', 'prompt must be 10000 characters or fewer');
    });
    test('S10: the look-up before S8', async () => {
        for (const create of CREATIONS) {
            const answer = await api[create](job({ ...known, user_email: 'nobody@acme.com' }));
            assert.equal(answer.status, 200, create);
            assert.equal(answer.body.is_new, false);
        }
    });
    test('S10: the look-up before S9', async () => {
        const answer = await api.createJob(job({ ...known, scenario_slug: 'none-such' }));
        assert.equal(answer.status, 200);
        assert.equal(answer.body.is_new, false);
    });
    test('S10: S8 before S9', async () => {
        assertInvalid(await api.createJob(job({ user_email: 'nobody@acme.com',
            scenario_slug: 'none-such' })), 'user_not_found',
        'No user found with email: nobody@acme.com');
    });
    test('S10, S12: a refused creation does not take its request_id', async () => {
        const fields = { request_id: 'refused-first' };
        for (const fault of [{ user_email: 'nobody@acme.com' }, { scenario_slug: 'none-such' },
            { prompt: long }, { callback_url: 'x' }])
            assert.notEqual((await api.createJob(job({ ...fields, ...fault }))).status, 200);
        assert.equal((await api.createJob(job(fields))).body.is_new, true);
        assert.equal((await api.createSession(job({ ...fields, user_email: 'nobody@acme.com' }))).status,
            400);
        assert.equal((await api.createSession(job(fields))).body.is_new, true);
    });
});

test('S11: unknown fields are ignored, whatever they hold', async () => {
    const extra = { id: 'mine', status: 'completed', is_new: false, created_at: '1999-01-01T00:00:00Z',
        workspace: 'other', seq: 1, User_Email: 5, 'user_email ': 5, PROMPT: null, __proto__x: {},
        nested: { a: [1, { b: null }] }, '': '' };
    const { status, body } = await api.createJob({ ...extra, ...job() });
    assert.equal(status, 201);
    assert.equal(body.status, 'queued');
    assert.notEqual(body.id, 'mine');
    created('createSession', await api.createSession({ ...extra, ...job() }));
});

const TEXTS = {
    SQL: '\'; DROP TABLE job; -- " OR 1=1',
    shell: '$(rm -rf /) `id` | cat; && \\',
    HTML: '<script>alert("x")</script> &amp; <!-- -->',
    formats: '%s %n %d %% {0} ${x} {{x}}',
    paths: '../../../etc/passwd ..\\..\\x /w/other',
    'right to left': '\u202e\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627\u202c',
    'zero width': 'a\u200bb\u200cc\u200dd\ufeffe\u2060',
    'not normalised': 'e\u0301 \u00e9 \ufb01 \u1e9b\u0323 \uac00 \u1100\u1161',
    controls: 'a\tb\nc\r\nd\u0001e\u001b[31mf\u007fg\u0085h',
    'beyond the BMP': '\ud83d\ude00\ud83d\udc69\u200d\ud83d\udcbb\udbff\udffd',
    noncharacters: '\ufffe\uffff\ufdd0',
    spaces: '  leading and trailing \u00a0\u3000 ',
};

test('S11, S12: every text is kept byte for byte', async (t) => {
    const file = path.join(await temporaryDirectory(t), 'store.db');
    const keeper = await startServer({ db: file, args: ['--queue-time', '1h'] });
    const mine = studio(keeper);
    try {
        for (const text of Object.values(TEXTS)) {
            const fields = { prompt: text, context: text, request_id: text };
            const made = await mine.newJob(fields);
            const again = await mine.createJob(job(fields));
            assert.deepEqual([again.status, again.body.id], [200, made.id], 'its request_id is known');
            assert.equal((await mine.createSession(job({ prompt: text, request_id: text }))).status, 200);
        }
    } finally {
        await keeper.stop();
    }
    const texts = Object.values(TEXTS);
    const utf8 = (hex) => Buffer.from(hex, 'hex').toString('utf8');
    const jobs = await sql(file, 'SELECT hex(prompt) AS prompt, hex(context) AS context,'
        + ' hex(request_id) AS request_id, user_email FROM job ORDER BY seq');
    assert.deepEqual(jobs.map(({ prompt, context, request_id, user_email }) =>
        [utf8(prompt), utf8(context), utf8(request_id), user_email]),
    texts.map((text) => [text, text, text, DEFAULT_MEMBER]));
    const sessions = await sql(file, 'SELECT hex(prompt) AS prompt, hex(request_id) AS request_id'
        + ' FROM session ORDER BY seq');
    assert.deepEqual(sessions.map(({ prompt, request_id }) => [utf8(prompt), utf8(request_id)]),
        texts.map((text) => [text, text]));
});

test('S25: callback_url and callback_headers are kept as given, in order', async (t) => {
    const file = path.join(await temporaryDirectory(t), 'store.db');
    const keeper = await startServer({ db: file, args: ['--queue-time', '1h'] });
    const callback_headers = { 'X-B': 'b', Authorization: 'Bearer \u00e9 "quoted" \\', 'X-A': '' };
    try {
        await studio(keeper).newJob({ callback_url: URLS[2], callback_headers });
        await studio(keeper).newJob();
    } finally {
        await keeper.stop();
    }
    const [first, second] = await sql(file,
        'SELECT callback_url, callback_headers FROM job ORDER BY seq');
    assert.equal(first.callback_url, URLS[2]);
    assert.equal(JSON.stringify(JSON.parse(first.callback_headers)), JSON.stringify(callback_headers));
    assert.deepEqual(second, { callback_url: null, callback_headers: null });
});

test('H2: a body on GET and DELETE is read and ignored', async () => {
    const made = await api.newJob();
    for (const body of ['{', JSON.stringify(job()), 'x'.repeat(100_000)]) {
        assert.equal((await api.getJob(made.id, { body })).status, 200);
        assert.equal((await request(server, 'GET', `/chat/none`, { body })).status, 404);
    }
    assert.equal((await api.cancelJob(made.id, { body: 'x' })).body.status, 'cancelled');
});
