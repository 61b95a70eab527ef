// Callbacks to https receivers: whose certificates are trusted, and what is said of others. The
// authority and its certificates are made here, by openssl.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import https from 'node:https';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

import { attemptsIn, serveCallbacks } from './attempts.mjs';
import { afterwards, serve, temporaryDirectory, until } from './client.mjs';
import { receive } from './receiver.mjs';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

const openssl = (...args) => promisify(execFile)('openssl', args);

/** An authority: {file}, and sign(name, names, days), which gives the files of a certificate. */
async function makeAuthority(directory, name) {
    const of = (file) => path.join(directory, `${name}-${file}`);
    await openssl('req', '-x509', ...KEY, '-keyout', of('ca.key'), '-out', of('ca.pem'), '-days', '30',
        '-subj', `/CN=${name}`);
    return {
        file: of('ca.pem'),
        async sign(leaf, names, days = '30') {
            await openssl('req', ...KEY, '-keyout', of(`${leaf}.key`), '-out', of(`${leaf}.csr`),
                '-subj', `/CN=${leaf}`);
            await writeFile(of(`${leaf}.ext`), `subjectAltName=${names}\n`);
            await openssl('x509', '-req', '-in', of(`${leaf}.csr`), '-CA', of('ca.pem'),
                '-CAkey', of('ca.key'), '-CAcreateserial', '-days', days, '-extfile', of(`${leaf}.ext`),
                '-out', of(`${leaf}.pem`));
            return { key: await readFile(of(`${leaf}.key`)), cert: await readFile(of(`${leaf}.pem`)) };
        },
    };
}

/** An https receiver with that certificate: {port, requests}. */
async function receiveTls(t, options) {
    const receiver = { requests: 0 };
    const server = https.createServer(options, (request, response) => {
        receiver.requests += 1;
        request.resume();
        response.end();
    });
    await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
    });
    receiver.port = server.address().port;
    afterwards(t, () => new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
    }));
    return receiver;
}

describe('https receivers', () => {
    const suite = { after };
    let directory, ours, others, trusting, plain;
    afterwards(suite, async () => {}); // its after() is to be called here

    const serveWith = (...args) => serveCallbacks(suite, { args });

    before(async () => {
        directory = await temporaryDirectory(suite);
        ours = await makeAuthority(directory, 'ours');
        others = await makeAuthority(directory, 'others');
        trusting = await serveWith('--callback-ca', ours.file);
        plain = await serveWith();
    });

    /** What came of a callback: its attempt. */
    async function call({ api, file }, url) {
        const { id } = await api.newJob({ callback_url: url });
        return until(async () => (await attemptsIn(file)).find((row) => row.job === id));
    }

    function assertFailed(row, receiver, words) {
        assert.equal(row.outcome, 'failed', row.error);
        assert.match(row.error, words);
        assert.equal(receiver.requests, 0, 'nothing was sent');
    }

    it('S25: one whose certificate an authority of --callback-ca has signed is trusted', async () => {
        const receiver = await receiveTls(suite, await ours.sign('right', 'DNS:localhost,IP:127.0.0.1'));
        for (const host of ['localhost', '127.0.0.1']) {
            const row = await call(trusting, `https://${host}:${receiver.port}/hook`);
            assert.equal(row.outcome, 'delivered', row.error);
        }
        assert.equal(receiver.requests, 2);
        assertFailed(await call(plain, `https://localhost:${receiver.port}/hook`), { requests: 0 },
            /^the receiver's certificate is signed by nobody that is trusted; --callback-ca FILE/);
        assert.equal(receiver.requests, 2);
    });

    it('S25: a certificate for another name fails', async () => {
        const receiver = await receiveTls(suite, await ours.sign('wrong', 'DNS:hooks.acme.test'));
        for (const host of ['localhost', '127.0.0.1'])
            assertFailed(await call(trusting, `https://${host}:${receiver.port}/hook`), receiver,
                new RegExp(`^the receiver's certificate is for another name than ${host}$`));
    });

    it('S25: a certificate of an unknown authority, or of none, fails', async () => {
        const options = [await others.sign('unknown', 'DNS:localhost')];
        const [key, cert] = ['self.key', 'self.pem'].map((name) => path.join(directory, name));
        await openssl('req', '-x509', ...KEY, '-keyout', key, '-out', cert, '-days', '30',
            '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost');
        options.push({ key: await readFile(key), cert: await readFile(cert) });
        for (const option of options) {
            const receiver = await receiveTls(suite, option);
            assertFailed(await call(trusting, `https://localhost:${receiver.port}/hook`), receiver,
                /^the receiver's certificate is signed by nobody that is trusted; --callback-ca FILE/);
        }
    });

    it('S25: a certificate that has expired fails', async () => {
        const receiver = await receiveTls(suite, await ours.sign('old', 'DNS:localhost', '-1'));
        assertFailed(await call(trusting, `https://localhost:${receiver.port}/hook`), receiver,
            /^the receiver's certificate has expired$/);
    });

    it('S25: one that does not speak TLS fails', async () => {
        const receiver = await receive(suite);
        const row = await call(trusting, `https://localhost:${receiver.port}/hook`);
        assert.equal(row.outcome, 'failed');
        assert.match(row.error, /^no TLS with the receiver: /);
        assert.equal(receiver.requests.length, 0);
    });

    it('S25: where callbacks may go is asked of https receivers, too', async () => {
        const receiver = await receiveTls(suite, await ours.sign('policy', 'DNS:localhost'));
        const at = await serveWith('--callback-ca', ours.file, '--callback-policy', 'public');
        const row = await call(at, `https://localhost:${receiver.port}/hook`);
        assert.match(row.error, /--callback-policy public lets no callback go/);
        assert.equal(receiver.requests, 0);
    });

    it('S25: a file that goes after the start is not missed, and one that is none stops it', async () => {
        const copy = path.join(directory, 'copy.pem');
        await writeFile(copy, await readFile(ours.file));
        const at = await serveWith('--callback-ca', copy);
        await writeFile(copy, 'gone');
        const receiver = await receiveTls(suite, await ours.sign('copied', 'DNS:localhost'));
        const row = await call(at, `https://localhost:${receiver.port}/hook`);
        assert.equal(row.outcome, 'delivered', row.error);
        await assert.rejects(serve(suite, { args: ['--callback-ca', copy] }),
            /ended with code 78[^]*--callback-ca "[^"]*copy.pem": has no certificate in PEM/);
    });
});
