// JSON that wants to confuse, and text that wants to be anything but text, for tests.

export const DEPTH_MAX = 2048;
export const TEXTS = [
    "'; DROP TABLE scenario; --", '" OR ""="', '`id`; $(reboot) | rm -rf / &', '<script>alert(1)</script>',
    '&lt;&amp;&#0;', '{{7*7}}${7*7}<%= 7*7 %>', '%s%s%s%n%x%99999d', '../../../../etc/passwd',
    '..\\..\\windows\\system32', 'C:\\con', '\\u0041\\n\\\\', '\\', '"', '""', '\u0001\u0002\u001f\u007f',
    '\r\nSet-Cookie: a=b\r\n\r\n', '\t tab \t', ' ', '   ', '\u00a0\u2003\u3000', '\u200b\u200c\u200d\u2060\ufeff',
    '\u202e\u202dturned\u2066\u2069', '\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627',
    'e\u0301 \u00e9 a\u030a \u00e5 \u1100\u1161 \uac00', `Z${'\u0335\u0327\u0301'.repeat(200)}`,
    '\u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u{1f1e9}\u{1f1ea} \u{10ffff} \ufffe\uffff\ufffd',
    '\u0080\u07ff\u0800\ud7ff\ue000\u{10000}', 'null', 'undefined', 'NaN', '0', '-1', 'true', '[]', '{}',
    '1e400', 'a'.repeat(50_000), '\u{1f600}'.repeat(10_000), 'http://127.0.0.1/', 'data:text/html,x',
    '\u2028\u2029', 'I\u0130i\u0131', '\ufb03\u00df\u1e9e', '%00%0a', '-- -', 'x\u0001\u001b[31mred\u001b[0m',
];

export const nested = (depth, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth);

const quoted = (...inside) => Buffer.concat([Buffer.from('{"name":"'),
    Buffer.from(inside), Buffer.from('"}')]);
export const BROKEN = {
    nothing: '', 'blanks alone': ' \t\r\n', 'a BOM': '\ufeff{"name":"x"}', 'a scalar': '"x"', 'a number': '1',
    'an array': '[{"name":"x"}]', null: 'null', 'trailing data': '{"name":"x"} x', 'two values': '{"name":"x"}{"name":"y"}',
    'a NUL behind': '{"name":"x"}\0', 'a comment': '{"name":"x"/**/}', 'a line comment': '{"name":"x"}//', NaN: '{"name":NaN}',
    Infinity: '{"name":-Infinity}', '1e400': '{"name":"x","a":1e400}', 'beyond 64 bits': '{"name":"x","a":9223372036854775808}',
    'a leading zero': '{"name":"x","a":0123}', 'a plus': '{"name":"x","a":+1}', 'a trailing comma': '{"name":"x",}',
    'single quotes': "{'name':'x'}", 'the escape of NUL': '{"name":"x\\u0000y"}', 'the escape of NUL in a key': '{"name":"x","a\\u0000b":1}',
    'a raw NUL': quoted(0x78, 0, 0x79), 'a raw control character': quoted(0x78, 1), 'a raw line feed': quoted(0x0a),
    'a lone high surrogate': '{"name":"\\ud800"}', 'a lone low surrogate': '{"name":"\\udc00"}',
    'a high surrogate and a letter': '{"name":"\\ud800x"}', 'surrogates the wrong way around': '{"name":"\\udc00\\ud800"}',
    'two high surrogates': '{"name":"\\ud800\\ud800"}', 'a lone surrogate in a key': '{"name":"x","\\udfff":1}',
    'an overlong slash': quoted(0xc0, 0xaf), 'an overlong NUL': quoted(0xc0, 0x80), 'overlong in three': quoted(0xe0, 0x80, 0xaf),
    'overlong in four': quoted(0xf0, 0x80, 0x80, 0xaf), 'a truncated character': quoted(0xc3), 'truncated in three': quoted(0xe4, 0xb8),
    'truncated in four': quoted(0xf0, 0x9f, 0x98), 'a stray continuation': quoted(0x80), 'a surrogate in UTF-8': quoted(0xed, 0xa0, 0x80),
    'beyond U+10FFFF': quoted(0xf4, 0x90, 0x80, 0x80), 'five bytes': quoted(0xf8, 0x88, 0x80, 0x80, 0x80), 'FF': quoted(0xff),
    'Latin-1': quoted(0xe9), 'UTF-16': Buffer.from('{"name":"x"}', 'utf16le'),
    'no UTF-8 in an unknown field': Buffer.concat([Buffer.from('{"name":"x","a":"'), Buffer.from([0xff]), Buffer.from('"}')]),
    'depth 100 without an end': `{"name":"x","a":${'['.repeat(100)}`, 'depth 100,000': nested(100_000),
    'depth 100,000 of objects': nested(100_000, '{"a":', '}').replace('{"a":}', '{"a":1}'),
    'a megabyte of [': '['.repeat(1024 * 1024), 'a megabyte of {': '{"a":'.repeat(200_000), 'a megabyte of "': '"'.repeat(1024 * 1024),
    'a megabyte of blanks': ' '.repeat(1024 * 1024), 'depth 2,049': `{"name":"x","evaluators":[{"v":${nested(DEPTH_MAX - 2)}}]}`,
    'depth 2,049 in an unknown field': `{"name":"x","a":${nested(DEPTH_MAX)}}`,
};

/** Values of every type, as they are written. */
export const VALUES = ['null', 'true', '0', '-1', '1.5', '1e308', '9223372036854775807', '""', '"x"', '"76h"', '[]', '[null]', '{}',
    '{"a":null}', '[[[]]]', `"${'a'.repeat(60_000)}"`];
