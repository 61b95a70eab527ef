// Framing and headers that two parties could read differently: each a request, or what looks like one,
// as bytes. What they ask for is told by what follows them: hostile.test.mjs, and fault/proxies.test.mjs
// through proxies.

export const HOST = 'Host: a\r\n';
const BODY = '{"name":"x"}';
export const GET = (...fields) => `GET /healthz HTTP/1.1\r\n${HOST}${fields.map((f) => `${f}\r\n`).join('')}\r\n`;
export const POST = (fields, body = BODY, version = '1.1') =>
    `POST /api/projects/hostile/scenarios HTTP/${version}\r\n${HOST}`
    + `${fields.map((field) => `${field}\r\n`).join('')}\r\n${body}`;
const CHUNKED = (body, field = 'Transfer-Encoding: chunked') => POST([field], body);
const LAST = '0\r\n\r\n';
const WHOLE = `C\r\n${BODY}\r\n${LAST}`;

// Answered 400 by this server, in its own words, and the connection closed (H5).
export const REFUSED = {
    'both framings': POST(['Content-Length: 5', 'Transfer-Encoding: chunked'], LAST),
    'both framings, the other way around': POST(['Transfer-Encoding: chunked', 'Content-Length: 5'], LAST),
    'two equal lengths': POST(['Content-Length: 12', 'Content-Length: 12']),
    'two different lengths': POST(['Content-Length: 12', 'Content-Length: 5']),
    'two lengths, the second 0': POST(['Content-Length: 12', 'Content-Length: 0']),
    'an unknown encoding': CHUNKED(LAST, 'Transfer-Encoding: xchunked'),
    'gzip as encoding': CHUNKED(LAST, 'Transfer-Encoding: gzip'),
    'gzip, chunked': CHUNKED(LAST, 'Transfer-Encoding: gzip, chunked'),
    'chunked, identity': CHUNKED(LAST, 'Transfer-Encoding: chunked, identity'),
    'chunked, chunked': CHUNKED(LAST, 'Transfer-Encoding: chunked, chunked'),
    identity: CHUNKED('', 'Transfer-Encoding: identity'),
    'an empty encoding': CHUNKED('', 'Transfer-Encoding:'),
    'an encoding in quotes': CHUNKED(LAST, 'Transfer-Encoding: "chunked"'),
    'an encoding with a parameter': CHUNKED(LAST, 'Transfer-Encoding: chunked;q=1'),
    'an encoding behind a vertical tab': CHUNKED(LAST, 'Transfer-Encoding: \x0bchunked'),
    'chunked twice': POST(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], LAST),
    'chunked in HTTP/1.0': POST(['Transfer-Encoding: chunked'], LAST, '1.0'),
    'no Host': 'GET /healthz HTTP/1.1\r\n\r\n',
    'two Hosts': GET('Host: b'),
    'two equal Hosts': GET('Host: a'),
    'an empty Host': 'GET /healthz HTTP/1.1\r\nHost:\r\n\r\n',
    'a Host of blanks': 'GET /healthz HTTP/1.1\r\nHost:   \r\n\r\n',
    ...Object.fromEntries(['a@b', 'a b', 'a/b', 'a,b', 'a:b', 'a:65536', 'a:-1', '[::1', '[]', '::1', 'a%41',
        'a\\b', 'a?b', '"a"', 'a:1:2', '\xe9', 'a\tb', `${'a'.repeat(301)}`].map((host) =>
        [`Host ${JSON.stringify(host.slice(0, 9))}`, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`])),
    'no Host in a POST': `POST /api/projects/hostile/scenarios HTTP/1.1\r\nContent-Length: 12\r\n\r\n${BODY}`,
    'a space before the colon': GET('X : y'),
    'a tab before the colon': GET('X\t: y'),
    'a length with a space before the colon': POST(['Content-Length : 12']),
    'an encoding with a space before the colon': CHUNKED(LAST, 'Transfer-Encoding : chunked'),
    'both framings, one with a space': POST(['Content-Length: 12', 'Transfer-Encoding : chunked']),
    'a name that is no token': GET('a(b): x'),
    'a name with a space': GET('a b: x'),
    'a name with a control character': GET('a\x01b: x'),
    'a name that is not ASCII': GET('\xe9: x'),
    'a control character in a value': GET('X: a\x01b'),
    'DEL in a value': GET('X: a\x7fb'),
    'a bare CR in a value': GET('X: a\rb'),
    'a header behind a bare CR': POST(['X: a\rTransfer-Encoding: chunked', 'Content-Length: 12']),
    'an end of headers made of bare CR': `GET /healthz HTTP/1.1\r\n${HOST}X: a\r\r`,
    'a folded line': GET('X: a\r\n b'),
    'a line folded by a tab': GET('X: a\r\n\tb'),
    'a folded line in front': `GET /healthz HTTP/1.1\r\n X: y\r\n${HOST}\r\n`,
    'a folded Host': 'GET /healthz HTTP/1.1\r\nHost: a\r\n b\r\n\r\n',
    'a folded length': POST(['Content-Length:\r\n 12']),
    'a length folded in the middle': POST(['Content-Length: 1\r\n 2']),
    'a length in a folded line': POST(['X: a\r\n Content-Length: 12', 'Content-Length: 12']),
    'a folded encoding': CHUNKED(LAST, 'Transfer-Encoding:\r\n chunked'),
    'a folded encoding beside a length': POST(['Content-Length: 12', 'Transfer-Encoding:\r\n chunked']),
    'a NUL in a value': GET('X: a\0b', 'Y: c'),
    'a NUL in the last value': GET('X: a\0b'),
    'a NUL in Host': 'GET /healthz HTTP/1.1\r\nHost: a\0b\r\n\r\n',
    'a NUL in a length': POST(['Content-Length: 12\x005']),
    'a NUL in an encoding': CHUNKED(LAST, 'Transfer-Encoding: chunked\0x'),
    'a NUL in the target': `GET /heal\0thz HTTP/1.1\r\n${HOST}\r\n`,
    'the escape of a NUL': `GET /heal%00thz HTTP/1.1\r\n${HOST}\r\n`,
    'an escape that is none': `GET /heal%zz HTTP/1.1\r\n${HOST}\r\n`,
    'a raw control character in the target': `GET /heal\x01thz HTTP/1.1\r\n${HOST}\r\n`,
    'DEL in the target': `GET /heal\x7fthz HTTP/1.1\r\n${HOST}\r\n`,
    'a tab in the target': `GET /heal\tthz HTTP/1.1\r\n${HOST}\r\n`,
    'a space in the target': `GET /heal thz HTTP/1.1\r\n${HOST}\r\n`,
    'a bare CR in the target': `GET /healthz\rX HTTP/1.1\r\n${HOST}\r\n`,
    'a fragment': `GET /healthz#x HTTP/1.1\r\n${HOST}\r\n`,
    'a fragment in the query': `GET /healthz?a#x HTTP/1.1\r\n${HOST}\r\n`,
    'an absolute form for another host': `GET http://b/healthz HTTP/1.1\r\n${HOST}\r\n`,
    'an absolute form for another port': `GET http://a:81/healthz HTTP/1.1\r\n${HOST}\r\n`,
    'an absolute form without a Host': 'GET http://b/healthz HTTP/1.0\r\n\r\n',
    'an absolute form with user info': `GET http://u@a/healthz HTTP/1.1\r\n${HOST}\r\n`,
    'an absolute form of another scheme': `GET ftp://a/healthz HTTP/1.1\r\n${HOST}\r\n`,
    'a target that is no path': `GET healthz HTTP/1.1\r\n${HOST}\r\n`,
    'CONNECT': 'CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n',
    'HTTP/1.2': `GET /healthz HTTP/1.2\r\n${HOST}\r\n`,
    'a method that is no token': `G(T /healthz HTTP/1.1\r\n${HOST}\r\n`,
    'a method with a control character': `G\x01T /healthz HTTP/1.1\r\n${HOST}\r\n`,
    'a body in front of a request': `${BODY}${GET()}`,
};

// libmicrohttpd answers these itself, in HTML, or just closes; never more than that.
export const CUT = {
    'a length with a sign': POST(['Content-Length: +12']),
    'a negative length': POST(['Content-Length: -1']),
    'a hexadecimal length': POST(['Content-Length: 0xC']),
    'a list of lengths': POST(['Content-Length: 12,12']),
    'a length with a blank': POST(['Content-Length: 1 2']),
    'a length beyond 2^64': POST(['Content-Length: 18446744073709551628']),
    'an empty length': POST(['Content-Length:']),
    'a line without a colon': GET('nonsense'),
    'a line without a colon in front': `GET /healthz HTTP/1.1\r\nnonsense\r\n${HOST}\r\n`,
    'a NUL in a name': POST(['Content-Length: 12', 'Transfer\0-Encoding: chunked']),
    'HTTP/0.9': 'GET /healthz\r\n',
    'HTTP/0.9 with an empty line': 'GET /healthz\r\n\r\n',
    'HTTP/2.0': `GET /healthz HTTP/2.0\r\n${HOST}\r\n`,
    'the HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'no HTTP version': `GET /healthz HTTPX\r\n${HOST}\r\n`,
    'a version in lower case': `GET /healthz http/1.1\r\n${HOST}\r\n`,
    'a blank behind the version': `GET /healthz HTTP/1.1 \r\n${HOST}\r\n`,
    'no method': ` /healthz HTTP/1.1\r\n${HOST}\r\n`,
    'a word alone': 'GET\r\n\r\n',
    'a chunk size with 0x': CHUNKED(`0xC\r\n${BODY}\r\n${LAST}`),
    'a chunk size with a sign': CHUNKED(`+C\r\n${BODY}\r\n${LAST}`),
    'a negative chunk size': CHUNKED(`-C\r\n${BODY}\r\n${LAST}`),
    'a chunk size behind a blank': CHUNKED(` C\r\n${BODY}\r\n${LAST}`),
    'an empty chunk size': CHUNKED(`\r\n${BODY}\r\n${LAST}`),
    'an extension without a size': CHUNKED(`;a\r\n${BODY}\r\n${LAST}`),
    'a chunk size beyond 2^64': CHUNKED(`10000000000000000C\r\n${BODY}\r\n${LAST}`),
    'a chunk longer than its size': CHUNKED(`C\r\n${BODY}zz\r\n${LAST}`),
    'bare CR around a chunk': CHUNKED(`C\r${BODY}\r0\r\r`),
    'a trailer without a colon': CHUNKED(`C\r\n${BODY}\r\n0\r\nnonsense\r\n\r\n`),
    'a header of 40 KB': GET(`X: ${'a'.repeat(40_000)}`),
    '2,000 headers': GET(...Array(2000).fill('X: a')),
    'a target of 40 KB': `GET /${'a'.repeat(40_000)} HTTP/1.1\r\n${HOST}\r\n`,
    'a method of 40 KB': `${'G'.repeat(40_000)} /healthz HTTP/1.1\r\n${HOST}\r\n`,
};

// Unusual, but with one meaning: answered, and the request behind is its own, whole. `status` of the
// answer. Where it may also be refused, it is then as above; after a chunked body the connection may be
// closed as well, for libmicrohttpd does not tell where others would see that end.
export const PLAIN = {
    'a chunk extension of 8 KiB': [201, CHUNKED(`C;${'e'.repeat(8192)}\r\n${BODY}\r\n${LAST}`)],
    'a length in the trailer': [201, CHUNKED(`C\r\n${BODY}\r\n0\r\nContent-Length: 5\r\n\r\n`)],
    'an encoding in the trailer': [201, CHUNKED(`C\r\n${BODY}\r\n0\r\nTransfer-Encoding: x\r\n\r\n`)],
    'chunked in another case': [201, CHUNKED(WHOLE, 'TRANSFER-encoding: ChunKed')],
    'leading zeros in a chunk size': [201, CHUNKED(`000000C\r\n${BODY}\r\n000\r\n\r\n`)],
    'a small chunk size in lower case': [201, CHUNKED(`c\r\n${BODY}\r\n${LAST}`)],
    'leading zeros in a length': [201, POST(['Content-Length: 0012'])],
    'a header that only looks like a length': [400, POST(['Content_Length: 12'], '')],
    'a GET with a body': [200, `GET /healthz HTTP/1.1\r\n${HOST}Content-Length: 12\r\n\r\n${BODY}`],
    'the absolute form': [200, `GET http://a/healthz HTTP/1.1\r\n${HOST}\r\n`],
    'the absolute form in another case': [200, `GET HTTP://A/healthz HTTP/1.1\r\n${HOST}\r\n`],
    TRACE: [405, `TRACE /healthz HTTP/1.1\r\n${HOST}Cookie: secret\r\n\r\n`],
    'a method in lower case': [405, `get /healthz HTTP/1.1\r\n${HOST}\r\n`],
    'HEAD in lower case': [405, `head /healthz HTTP/1.1\r\n${HOST}\r\n`],
    'OPTIONS *': [404, `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`],
    'empty lines in front': [200, `\r\n\r\n${GET()}`],
    'values of tabs and Latin-1': [200, GET('X: a\tb\xe9', 'Y:', 'Z:\t \tz \t')],
    'line feeds alone': [[200, 400], 'GET /healthz HTTP/1.1\nHost: a\nX: y\n\n'],
    'line feeds alone around a chunk': [[201, 400], CHUNKED(`C\n${BODY}\n0\n\n`)],
    'a header without a name': [[200, 400], GET(': x')],
    'two blanks behind the method': [[200, 400], `GET  /healthz HTTP/1.1\r\n${HOST}\r\n`],
};

// No end in sight: nothing is answered, nothing is done, also when the client then closes.
export const UNFINISHED = {
    'a truncated body': POST(['Content-Length: 500']),
    'a truncated chunk': CHUNKED('FFF\r\n{"name":"x"}'),
    'chunks without the last': CHUNKED(`C\r\n${BODY}\r\n`),
    'a chunk of 2^64 - 1 bytes': CHUNKED(`ffffffffffffffff\r\n${BODY}`),
    'a chunk of 2^60 + 12 bytes': CHUNKED(`100000000000000C\r\n${BODY}`),
    'half a header': `GET /healthz HTTP/1.1\r\n${HOST}X: `,
    'half a target': 'GET /heal',
};

// Requests that hide another, which one of two parties that read them differently would find.
const TARGET = 'POST /api/projects/hostile/scenarios HTTP/1.1\r\n';
const hex = (bytes) => bytes.length.toString(16);

/** Lines that may or may not say that the body is chunked. */
const PERHAPS_CHUNKED = {
    plain: 'Transfer-Encoding: chunked', 'of capitals': 'TRANSFER-ENCODING: CHUNKED',
    'behind a tab': 'Transfer-Encoding:\tchunked', 'before a blank': 'Transfer-Encoding: chunked ',
    'with a space before the colon': 'Transfer-Encoding : chunked',
    'with a tab before the colon': 'Transfer-Encoding\t: chunked',
    'of another name': 'Transfer-Encoding: xchunked', 'in quotes': 'Transfer-Encoding: "chunked"',
    'before another': 'Transfer-Encoding: chunked, identity', 'behind another': 'Transfer-Encoding: identity, chunked',
    'with a comma': 'Transfer-Encoding: chunked,', 'behind a comma': 'Transfer-Encoding: ,chunked',
    'with a parameter': 'Transfer-Encoding: chunked;a=b', 'behind a vertical tab': 'Transfer-Encoding: \x0bchunked',
    'behind a form feed': 'Transfer-Encoding:\x0cchunked', 'behind a NUL': 'Transfer-Encoding: \0chunked',
    'before a NUL': 'Transfer-Encoding: chunked\0', 'before a bare CR': 'Transfer-Encoding: chunked\r',
    'in Latin-1': 'Transfer-Encoding: \xa0chunked', folded: 'Transfer-Encoding:\r\n chunked',
    'folded by a tab': 'Transfer-Encoding:\r\n\tchunked', 'in a folded line': 'X: y\r\n Transfer-Encoding: chunked',
    'behind a bare CR': 'X: y\rTransfer-Encoding: chunked', 'behind a bare LF': 'X: y\nTransfer-Encoding: chunked',
    'with a line feed in its name': 'Transfer-Encoding\n: chunked', 'twice, first another': 'Transfer-Encoding: x\r\nTransfer-Encoding: chunked',
    'twice, then another': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: x', 'with a semicolon in its name': 'Transfer-Encoding;: chunked',
    'with a NUL in its name': 'Transfer\0-Encoding: chunked', 'behind a NUL in front': '\0Transfer-Encoding: chunked',
};
/** Lines that may or may not say that the body has `n` bytes. */
const PERHAPS_LENGTH = {
    'with a sign': (n) => `Content-Length: +${n}`, 'in quotes': (n) => `Content-Length: "${n}"`,
    'as a list': (n) => `Content-Length: ${n}, ${n}`, 'as a list with 0': (n) => `Content-Length: 0, ${n}`,
    'as a list before 0': (n) => `Content-Length: ${n},0`, 'behind 0': (n) => `Content-Length: 0\r\nContent-Length: ${n}`,
    'before 0': (n) => `Content-Length: ${n}\r\nContent-Length: 0`, 'with a fraction': (n) => `Content-Length: ${n}.0`,
    'before a NUL': (n) => `Content-Length: ${n}\0`, 'before two NULs': (n) => `Content-Length: ${n}\0\0`,
    'before a line of a NUL': (n) => `Content-Length: ${n}\r\n\0`, 'before a NUL and a line': (n) => `Content-Length: ${n}\0\r\nX: y`, 'behind a vertical tab': (n) => `Content-Length: \x0b${n}`,
    'with a space before the colon': (n) => `Content-Length : ${n}`, folded: (n) => `Content-Length:\r\n ${n}`,
    'in a folded line': (n) => `X: y\r\n Content-Length: ${n}`, 'behind a bare CR': (n) => `X: y\rContent-Length: ${n}`,
    'in hexadecimal': (n) => `Content-Length: 0x${n.toString(16)}`, 'beyond 2^64': (n) => `Content-Length: ${2n ** 64n + BigInt(n)}`,
    'with an exponent': (n) => `Content-Length: ${n}e0`, 'with a blank in it': (n) => `Content-Length: ${`${n}`.split('').join(' ')}`,
};

function hidingByFraming(hidden) {
    const cases = {};
    for (const [name, line] of Object.entries(PERHAPS_CHUNKED)) {
        const ended = `0\r\n\r\n${hidden}`, chunk = `${hex(hidden)}\r\n${hidden}\r\n0\r\n\r\n`;
        const [all, first] = [ended.length, hex(hidden).length + 2];
        cases[`chunked ${name}, behind the last chunk`] = `${TARGET}${HOST}Content-Length: ${all}\r\n${line}\r\n\r\n${ended}`;
        cases[`chunked ${name}, in a chunk`] = `${TARGET}${HOST}${line}\r\nContent-Length: ${first}\r\n\r\n${chunk}`;
    }
    for (const [name, line] of Object.entries(PERHAPS_LENGTH))
        cases[`a length ${name}`] = `${TARGET}${HOST}${line(hidden.length)}\r\n\r\n${hidden}`;
    return cases;
}

/** By where a line of the chunked coding ends. */
function hidingByLines(hidden) {
    const head = `${TARGET}${HOST}Transfer-Encoding: chunked\r\n\r\n`, ended = `0\r\n\r\n${hidden}`;
    const padded = ended.length < 16 ? ended.padEnd(16) : ended;
    const around = (line) => `${head}${hex(padded)}${line}${'x'.repeat(padded.length)}\r\n${padded}\r\n${LAST}`;
    const before = (line) => `${head}2${line}xx\r\n${hex(padded)}\r\n${padded}\r\n${LAST}`;
    return {
        'behind an extension that ends in LF': around(';\n'), 'behind a size that ends in LF': around('\n'),
        'behind an extension with LF in it': before(';\n'), 'behind a size with LF in it': before('\n'),
        'behind an extension with CR in it': before(';\r'), 'behind an extension that ends in CR': around(';\r'),
        'behind a blank and LF': around(' \n'), 'behind a last chunk that ends in LF': `${head}0\n\n${hidden}`,
        'behind a last chunk without a trailer': `${head}0\r\n\n${hidden}`,
        'behind a last chunk of CR': `${head}0\r\r${hidden}`, 'behind a last chunk of 0x0': `${head}0x0\r\n\r\n${hidden}`,
        'behind a last chunk and a trailer of LF': `${head}0\r\nX: y\n\n${hidden}`,
        'in a trailer': `${head}0\r\n${hidden}`, 'behind a chunk that is too long': `${head}2\r\nxxyy\r\n${ended}`,
        'behind a chunk that ends in LF': `${head}2\r\nxx\n${ended}`, 'behind a chunk without an end': `${head}2\r\nxx${ended}`,
        'behind a size that overflows': `${head}10000000000000002\r\nxx\r\n${ended}`,
    };
}

/**
 * name: bytes, in which `hidden`, a whole request, is no request of its own: what it stands in is refused, and the
 * connection closed, or says plainly that it is the body.
 */
export const HIDING = (hidden) => ({ ...hidingByFraming(hidden), ...hidingByLines(hidden) });

/** The same of requests whose body it is without a doubt, whatever is around it. */
export const CARRYING = (hidden) => {
    const length = `Content-Length: ${hidden.length}\r\n`;
    const target = (method) => `${method} /api/projects/hostile/scenarios/x HTTP/1.1\r\n${HOST}`;
    return {
        ...Object.fromEntries(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PUT', 'TRACE', 'FOO'].flatMap((method) => [
            [`${method}, framed`, `${target(method)}${length}\r\n${hidden}`],
            [`${method}, chunked`, `${target(method)}Transfer-Encoding: chunked\r\n\r\n${hex(hidden)}\r\n${hidden}\r\n${LAST}`]])),
        'Connection: Content-Length': `${TARGET}${HOST}Connection: Content-Length\r\n${length}\r\n${hidden}`,
        'Connection: Transfer-Encoding': `${TARGET}${HOST}Connection: Transfer-Encoding, keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${
            hex(hidden)}\r\n${hidden}\r\n${LAST}`,
        'Expect: 100-continue': `${TARGET}${HOST}Expect: 100-continue\r\n${length}\r\n${hidden}`,
        'Expect: something else': `${TARGET}${HOST}Expect: y 100-continue\r\n${length}\r\n${hidden}`,
        'Expect in a GET': `${target('GET')}Expect: 100-continue\r\n${length}\r\n${hidden}`,
        'an upgrade to h2c': `${TARGET}${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n${length}\r\n${hidden}`,
        'an upgrade to websocket': `${TARGET}${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n${length}\r\n${hidden}`,
        'HTTP/1.0 kept alive': `${TARGET.replace('1.1', '1.0')}${HOST}Connection: keep-alive\r\n${length}\r\n${hidden}`,
        'a length with leading zeros': `${TARGET}${HOST}Content-Length: 000${hidden.length}\r\n\r\n${hidden}`,
        'a header that looks like an encoding': `${TARGET}${HOST}Transfer_Encoding: chunked\r\n${length}\r\n${hidden}`,
        'a length in a trailer': `${TARGET}${HOST}Transfer-Encoding: chunked\r\n\r\n${hex(hidden)}\r\n${hidden}\r\n0\r\nContent-Length: 5\r\n\r\n`,
        'a body that passes the limit': `${TARGET}${HOST}Content-Length: ${(1 << 20) + 1 + hidden.length}\r\n\r\n${' '.repeat((1 << 20) + 1)}${hidden}`,
    };
};
