// C7 and C8 over HTTP, each clause both ways: one table, a request each. The base of a case would be
// granted, or be refused for one reason alone, and the case changes one thing of it. Of every answer:
// what is refused has changed nothing, and no answer has a header for other origins, or a cookie.

import assert from 'node:assert/strict';
import os from 'node:os';
import { after, before, describe, test } from 'node:test';

import { startServer } from '../support/server.mjs';
import { DEFAULT_KEY, makeKey } from './client.mjs';
import { Wire, request as message } from './wire.mjs';

const TOKEN = 'correct-horse-battery';
const OTHER_KEY = makeKey('other');
const bearer = (value) => `Authorization: Bearer ${value}`;
const token = bearer(TOKEN);

const outside = Object.values(os.networkInterfaces()).flat()
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
const hasIpv6 = Object.values(os.networkInterfaces()).flat().some(({ family }) => family === 'IPv6');

const other = ['--api-key', `${OTHER_KEY}=other`];
const servers = {
    private: [],
    allowing: ['--allowed-host', 'mock.example.com'],
    'private with a token': ['--control-token', TOKEN],
    'on 0.0.0.0': ['--listen', '0.0.0.0:0', '--control-token', TOKEN],
    'on 127.0.0.1 and 0.0.0.0': ['--listen', '127.0.0.1:0', '--listen', '0.0.0.0:0', '--control-token', TOKEN],
    ...(hasIpv6 && { 'on [::]': ['--listen', '[::]:0', '--control-token', TOKEN] }),
    ...(hasIpv6 && { 'on 127.0.0.1 and [::1]': ['--listen', '127.0.0.1:0', '--listen', '[::1]:0'] }),
    ...(outside && { 'on its own address': ['--listen', `${outside}:0`, '--control-token', TOKEN] }),
    'with a public URL': ['--public-url', 'https://mock.example.com/base', '--control-token', TOKEN],
    'with a local public URL': ['--public-url', 'http://localhost:8080'],
    open: ['--listen', '0.0.0.0:0', '--control', 'open'],
};

const MAKE = ['POST', '/_mock/workspaces'];        // what only those may do who may do all
const READ = ['GET', '/w/acme-corp/_mock/settings']; // what a workspace's key may do too
const SET = ['PATCH', '/w/acme-corp/_mock/settings', { jitter: 0.25 }];
const POST = ['POST', '/w/acme-corp/_mock/inbox/x', 'x'];

const host = (value) => [`Host: ${value}`];
const type = (value) => [`Content-Type: ${value}`];
const site = (value) => [`Sec-Fetch-Site: ${value}`];
const from = (value, at = 'localhost') => [`Host: ${at}`, `Origin: ${value}`];

const HOST = '403 forbidden_host';
const ORIGIN = '403 forbidden_origin';
const TYPE = '415 unsupported_media_type';
const NO = '403 forbidden';

// server, request, header lines, what is answered; 'ok' is any success.
const cases = [
    // C8: Host
    ['private', MAKE, host('localhost'), 'ok'],
    ['private', MAKE, host('LocalHost:1'), 'ok'],
    ['private', MAKE, host('a.b.localhost'), 'ok'],
    ['private', MAKE, host('host.docker.internal:3000'), 'ok'],
    ['private', MAKE, host('MOCK.TEST'), 'ok'],
    ['private', MAKE, host('understudy'), 'ok'],
    ['private', MAKE, host('127.0.0.1:65535'), 'ok'],
    ['private', MAKE, host('192.0.2.7'), 'ok'],
    ['private', MAKE, host('[::1]:3000'), 'ok'],
    ['private', MAKE, host('[2001:db8::1]'), 'ok'],
    ['private', MAKE, host('evil.example'), HOST],
    ['private', MAKE, host('evil.example:3000'), HOST],
    ['private', MAKE, host('localhost.evil.example'), HOST],
    ['private', MAKE, host('127.0.0.1.evil.example'), HOST],
    ['private', MAKE, host('notlocalhost.example'), HOST],
    ['private', MAKE, host('my.localhosts'), HOST],
    ['private', MAKE, host('127.1'), HOST],
    ['private', MAKE, host('0x7f.0.0.1'), HOST],
    ['private', MAKE, host('localhost.'), HOST],
    ['private', MAKE, host('mock.test.'), HOST],
    ['private', MAKE, host('.test'), HOST],
    ['private', MAKE, host('mock.example.com'), HOST],
    ['private', READ, host('evil.example'), HOST],
    ['private', ['HEAD', READ[1]], host('evil.example'), HOST],
    ['private', ['DELETE', '/_mock/workspaces/other'], host('evil.example'), HOST],
    ['private', SET, host('evil.example'), HOST],
    ['private', ['GET', '/metrics'], host('evil.example'), HOST],
    ['private', ['GET', '/_mock/nothing'], host('evil.example'), HOST],
    ['private', READ, [...host('evil.example'), bearer(DEFAULT_KEY)], HOST],
    ['allowing', MAKE, host('mock.example.com'), 'ok'],
    ['allowing', MAKE, host('Mock.Example.COM:8080'), 'ok'],
    ['allowing', MAKE, host('a.mock.example.com'), HOST],
    ['allowing', MAKE, host('mock.example.com.'), HOST],
    ['private with a token', MAKE, [...host('evil.example'), token], 'ok'],
    ['private with a token', MAKE, [...host('evil.example'), `${token}x`], HOST],
    ['open', MAKE, host('evil.example'), HOST],
    ...['a@b', '[::1', '::1', 'a b', '[evil.example]', 'a/b', 'localhost:x', 'localhost:70000', '', 'a,b']
        .map((value) => ['private', MAKE, host(value), '400']),
    ['private', MAKE, ['Host: localhost', 'Host: localhost'], '400'],
    ['private with a token', MAKE, [...host('a@b'), token], '400'],
    // C8: Origin
    ['private', MAKE, from('http://localhost'), 'ok'],
    ['private', MAKE, from('http://localhost:3000', 'localhost:3000'), 'ok'],
    ['private', MAKE, from('HTTP://[::1]:3000', '[::1]:3000'), 'ok'],
    ['private', MAKE, from('http://evil.example'), ORIGIN],
    ['private', MAKE, from('http://localhost:3001', 'localhost:3000'), ORIGIN],
    ['private', MAKE, from('http://127.0.0.1:3000', 'localhost:3000'), ORIGIN],
    ['private', MAKE, from('https://localhost'), ORIGIN],
    ['private', MAKE, from('http://localhost.evil.example'), ORIGIN],
    ['private', MAKE, from('http://localhost/'), ORIGIN],
    ['private', MAKE, from('null'), ORIGIN],
    ['private', MAKE, from(''), ORIGIN],
    ['private', MAKE, [...from('http://localhost'), 'Origin: http://localhost'], ORIGIN],
    ['private', READ, from('null'), ORIGIN],
    ['private', ['DELETE', '/_mock/workspaces/other'], from('null'), ORIGIN],
    ['private', READ, [...from('http://evil.example'), bearer(DEFAULT_KEY)], ORIGIN],
    ['private with a token', MAKE, [...from('http://evil.example'), token], 'ok'],
    ['with a public URL', MAKE, [...from('https://mock.example.com'), bearer('wrong')], NO],
    ['with a public URL', READ, [...from('https://mock.example.com'), bearer(DEFAULT_KEY)], 'ok'],
    ['with a public URL', READ, [...from('http://mock.example.com'), bearer(DEFAULT_KEY)], ORIGIN],
    ['with a public URL', READ, [...from('https://mock.example.com.evil'), bearer(DEFAULT_KEY)], ORIGIN],
    // C8: Sec-Fetch-Site
    ['private', MAKE, site('cross-site'), ORIGIN],
    ['private', MAKE, site('CROSS-SITE'), ORIGIN],
    ['private', READ, site('cross-site'), ORIGIN],
    ['private', MAKE, site('same-site'), 'ok'],
    ['private', MAKE, site('same-origin'), 'ok'],
    ['private', MAKE, site('none'), 'ok'],
    ['private', MAKE, [...site('none'), ...site('cross-site')], ORIGIN],
    ['private with a token', MAKE, [...site('cross-site'), token], 'ok'],
    // C8: content types
    ['private', MAKE, type('application/json'), 'ok'],
    ['private', MAKE, type('application/problem+json; charset=utf-8'), 'ok'],
    ['private', MAKE, type('text/html'), 'ok'],
    ['private', MAKE, [], 'ok'],
    ['private', MAKE, type('text/plain'), TYPE],
    ['private', MAKE, type('TEXT/Plain;charset=UTF-8'), TYPE],
    ['private', MAKE, type('text/plain ; x=y'), TYPE],
    ['private', MAKE, type('application/x-www-form-urlencoded'), TYPE],
    ['private', MAKE, type('Application/X-WWW-Form-Urlencoded; charset=utf-8'), TYPE],
    ['private', MAKE, type('multipart/form-data; boundary=x'), TYPE],
    ['private', SET, type('text/plain'), TYPE],
    ['private', ['DELETE', '/_mock/workspaces/other'], type('text/plain'), TYPE],
    ['private', READ, type('text/plain'), 'ok'],
    ['private', ['HEAD', READ[1]], type('text/plain'), 'ok'],
    ['private', SET, [...type('text/plain'), bearer(DEFAULT_KEY)], TYPE],
    ['private with a token', MAKE, [...type('text/plain'), token], 'ok'],
    // C7: where the server listens, and what it is called
    ['private', MAKE, [], 'ok'],
    ['private with a token', MAKE, [], 'ok'],
    ['private with a token', MAKE, [bearer('wrong-horse')], 'ok'],
    ['on 0.0.0.0', MAKE, [], NO],
    ['on 0.0.0.0', READ, [], NO],
    ['on 0.0.0.0', ['HEAD', READ[1]], [], NO],
    ['on 0.0.0.0', SET, [], NO],
    ['on 0.0.0.0', ['DELETE', '/_mock/workspaces/other'], [], NO],
    ['on 0.0.0.0', ['GET', '/metrics'], [], NO],
    ['on 127.0.0.1 and 0.0.0.0', MAKE, [], NO],
    ['on [::]', MAKE, [], NO],
    ['on 127.0.0.1 and [::1]', MAKE, [], 'ok'],
    ['on its own address', MAKE, [], NO],
    ['with a public URL', MAKE, [], NO],
    ['with a local public URL', MAKE, [], 'ok'],
    ['open', MAKE, [], 'ok'],
    // C7: by whom it comes
    ['private', MAKE, ['Forwarded: for=192.0.2.1'], NO],
    ['private', MAKE, ['Via: 1.1 proxy'], NO],
    ['private', MAKE, ['X-Forwarded-For: 127.0.0.1'], NO],
    ['private', MAKE, ['x-forwarded-anything:'], NO],
    ['private', READ, ['FORWARDED: for=127.0.0.1'], NO],
    ['private', MAKE, ['X-Forward: 1', 'Viaduct: 2'], 'ok'],
    ['private', READ, ['Via: 1.1 proxy', bearer(DEFAULT_KEY)], 'ok'],
    ['private with a token', MAKE, ['X-Forwarded-Host: evil.example', token], 'ok'],
    ['open', MAKE, ['X-Forwarded-For: 192.0.2.1'], 'ok'],
    // C7: the token
    ['on 0.0.0.0', MAKE, [token], 'ok'],
    ['on [::]', MAKE, [token], 'ok'],
    ['on its own address', MAKE, [token], 'ok'],
    ['with a public URL', MAKE, [token], 'ok'],
    ['on 0.0.0.0', READ, [token], 'ok'],
    ['on 0.0.0.0', ['GET', '/metrics'], [token], 'ok'],
    ['on 0.0.0.0', MAKE, [`authorization: bEARER  ${TOKEN}`], 'ok'],
    ['on 0.0.0.0', MAKE, [bearer(TOKEN.toUpperCase())], NO],
    ['on 0.0.0.0', MAKE, [bearer(TOKEN.slice(0, -1))], NO],
    ['on 0.0.0.0', MAKE, [bearer(TOKEN + TOKEN)], NO],
    ['on 0.0.0.0', MAKE, [`Authorization: ${TOKEN}`], NO],
    ['on 0.0.0.0', MAKE, [`Authorization: Token ${TOKEN}`], NO],
    ['on 0.0.0.0', MAKE, [`Authorization: Basic ${btoa(`:${TOKEN}`)}`], NO],
    ['on 0.0.0.0', MAKE, [`X-Api-Key: ${TOKEN}`, `Cookie: token=${TOKEN}`, `Proxy-Authorization: Bearer ${TOKEN}`], NO],
    ['private', MAKE, [token, 'Via: 1.1 proxy'], NO],
    // C7: a workspace's key
    ['on 0.0.0.0', READ, [bearer(DEFAULT_KEY)], 'ok'],
    ['on 0.0.0.0', ['HEAD', READ[1]], [bearer(DEFAULT_KEY)], 'ok'],
    ['on 0.0.0.0', ['GET', '/_mock/workspaces/acme-corp'], [bearer(DEFAULT_KEY)], 'ok'],
    ['on [::]', READ, [bearer(DEFAULT_KEY)], 'ok'],
    ['on 0.0.0.0', MAKE, [bearer(DEFAULT_KEY)], NO],
    ['on 0.0.0.0', ['GET', '/metrics'], [bearer(DEFAULT_KEY)], NO],
    ['on 0.0.0.0', ['DELETE', '/_mock/workspaces/other'], [bearer(DEFAULT_KEY)], NO],
    ['on 0.0.0.0', ['PATCH', '/_mock/workspaces/acme-corp', { name: 'x' }], [bearer(OTHER_KEY)], NO],
    ['on 0.0.0.0', READ, [bearer(makeKey('none'))], '404 workspace_not_found'],
    ['on 0.0.0.0', READ, [bearer(OTHER_KEY)], '400 workspaces_disagree'],
    // The order: C8, then C6, then C7
    ['on 0.0.0.0', ['GET', '/w/nobody/_mock/settings'], host('evil.example'), HOST],
    ['on 0.0.0.0', ['GET', '/w/nobody/_mock/settings'], [], '404 workspace_not_found'],
    ['on 0.0.0.0', ['GET', '/_mock/settings'], ['Via: 1.1 proxy'], '400 workspace_required'],
    ['on 0.0.0.0', MAKE, from('null'), ORIGIN],
    ['on 0.0.0.0', MAKE, type('text/plain'), TYPE],
    // A POST to an inbox is exempt from both, and nothing else of an inbox is
    ['on 0.0.0.0', POST, [], 'ok'],
    ['private', POST, [...from('http://evil.example', 'evil.example'), ...site('cross-site'), ...type('text/plain'), 'Via: 1.1 p'], 'ok'],
    ['on 0.0.0.0', ['GET', POST[1]], [], NO],
    ['on 0.0.0.0', ['DELETE', POST[1]], [], NO],
    ['private', ['GET', POST[1]], host('evil.example'), HOST],
    ['private', ['PUT', `${POST[1]}/replies`, []], from('null'), ORIGIN],
];

/** Asks the server where it listens, as this machine reaches that. */
async function ask({ url, port }, method, target, options) {
    const listens = new URL(url).hostname.replace(/[[\]]/g, '');
    const wire = await Wire.open(port, { '::': '::1', '0.0.0.0': '127.0.0.1' }[listens] ?? listens);
    try {
        return await wire.send(message(method, target, options)).response({ bodiless: method === 'HEAD' });
    } finally {
        wire.destroy();
    }
}

/** All that a refused request could have changed, as one who may do all sees it. */
async function look(server, args) {
    const headers = args.includes(TOKEN) ? [token] : [];
    const read = async (target) => {
        const { status, body } = await ask(server, 'GET', target, { headers });
        assert.equal(status, 200, target);
        return JSON.parse(body);
    };
    const { items } = await read('/_mock/workspaces');
    const inbox = await read(POST[1]);
    return JSON.stringify([items.map(({ slug, name, active, settings }) => [slug, name, active, settings]), inbox.items.length]);
}

for (const [name, args] of Object.entries(servers))
    describe(`a server ${name}`, () => {
        let server;
        before(async () => { server = await startServer({ args: [...args, ...other] }); });
        after(() => server.stop());

        for (const [on, [method, target, body], headers, expected] of cases) {
            if (on !== name) continue;
            const rule = /host|400$/.test(expected) || /Host|Origin|Site|Type/.test(headers.join()) ? 'C8' : 'C7';
            test(`${rule}: ${method} ${target} ${JSON.stringify(headers)} → ${expected}`, async () => {
                const content = body ?? (method === 'POST' ? {} : undefined);
                const past = await look(server, args);
                const answer = await ask(server, method, target, {
                    headers, body: typeof content === 'object' ? JSON.stringify(content) : content });
                for (const header of Object.keys(answer.headers))
                    assert.doesNotMatch(header, /^(access-control-|set-cookie|timing-allow|cross-origin-)/);
                if (expected === 'ok') {
                    assert.ok(answer.status >= 200 && answer.status < 300, `${answer.status} ${answer.body}`);
                    return;
                }
                const [status, problem] = expected.split(' ');
                assert.equal(String(answer.status), status, String(answer.body));
                if (problem && method !== 'HEAD')
                    assert.equal(JSON.parse(answer.body).type, `urn:understudy:${problem}`);
                assert.equal(await look(server, args), past, 'something has changed');
            });
        }
    });

test('every case has its server', () => {
    const optional = ['on [::]', 'on 127.0.0.1 and [::1]', 'on its own address'];
    for (const [on] of cases)
        assert.ok(on in servers || optional.includes(on), on);
    assert.ok(cases.length >= 80, `${cases.length} cases`);
});
