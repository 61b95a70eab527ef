// Where callbacks may go (S6, S25): by the address that a name has, whatever it is written like.
// A canary listens at every address of this machine; what comes to it came past the policy.

import assert from 'node:assert/strict';
import net from 'node:net';
import os from 'node:os';
import { after, before, describe, it } from 'node:test';

import { attemptsIn, serveCallbacks } from './attempts.mjs';
import { afterwards, assertInvalid, job, sql, until } from './client.mjs';
import { receive } from './receiver.mjs';

/** Listens at all addresses, IPv6 where there is any, and closes whatever comes. */
async function keepCanary(t) {
    const canary = { connections: 0 };
    const server = net.createServer((socket) => {
        canary.connections += 1;
        socket.destroy();
    });
    await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, resolve);
    });
    afterwards(t, () => new Promise((resolve) => { server.close(resolve); }));
    canary.port = server.address().port;
    canary.hasIpv6 = server.address().family === 'IPv6';
    return canary;
}

const serveWithPolicy = (t, ...args) => serveCallbacks(t, { args });

/** Makes a job for each URL; resolves to what came of their callbacks, in the same order. */
async function callAll({ api, file }, urls) {
    const jobs = [];
    for (const url of urls) jobs.push((await api.newJob({ callback_url: url })).id);
    return until(async () => {
        const byJob = new Map((await attemptsIn(file)).map((row) => [row.job, row]));
        return jobs.every((id) => byJob.has(id)) && jobs.map((id) => byJob.get(id));
    }, { what: 'an attempt for each job' });
}

const BLOCKED = 6; // a delivery's status

function assertBlocked(row, reason, what) {
    assert.equal(`${row.outcome} ${row.delivery} ${row.number}`, `blocked ${BLOCKED} 1`,
        `${what}: ${row.error}`);
    assert.match(row.error, reason, what);
    assert.equal(row.address, null, what);
}

function assertDelivered(row, what) {
    assert.equal(row.outcome, 'delivered', `${what}: ${row.error}`);
}

// Loopback addresses and names of them: one option or another would allow each.
const HERE = [
    '127.0.0.1', '127.1', '127.0.1', '127.255.255.254', '2130706433', '0x7f.1', '0x7f000001',
    '0177.0.0.1', '017700000001', '0x7f.0.0.0x1', 'LOCALHOST', 'localhost',
    'a.localhost', '%31%32%37.0.0.1', '[::1]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::127.0.0.1]', '[64:ff9b:1::127.0.0.1]',
    '[64:ff9b:1:7f00:0:100::]', '[2002:7f00:1::]', '[2001:0:4136:e378:8000:63bf:80ff:fffe]',
];
// Private networks, and what is set aside.
const NEAR = [
    '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '100.64.0.1',
    '100.127.255.255', '0xa.1', '[::ffff:10.0.0.1]', '[2002:a00:1::]', '[fc00::1]', '[fdff::1]',
    '192.0.2.1', '198.18.0.1', '203.0.113.1', '[2001:db8::1]', '[fec0::1]',
];
const NEVER = [
    '0.0.0.0', '0', '0.0.0.1', '[::]', '[::ffff:0.0.0.0]', '169.254.169.254', '0xa9fea9fe',
    '169.254.0.1', '[::ffff:169.254.169.254]', '[64:ff9b::a9fe:a9fe]', '[fe80::1]',
    '[fe80::1%25lo]', '[febf::1]', '[fd00:ec2::254]', '100.100.100.200', '192.0.0.192',
    '168.63.129.16', '224.0.0.1', '[ff02::1]', '255.255.255.255', '240.0.0.1',
];

describe('under the public policy', () => {
    const suite = { after };
    let at, canary;
    afterwards(suite, async () => {}); // its after() is to be called here
    before(async () => {
        canary = await keepCanary(suite);
        at = await serveWithPolicy(suite, '--callback-policy', 'public');
    });

    const reach = (hosts) => callAll(at, hosts.map((host) => `http://${host}:${canary.port}/hook`));

    it('S25: no spelling of a loopback, private or special address is connected to', async () => {
        const hosts = [...HERE, ...NEAR];
        const rows = await reach(hosts);
        for (const [i, host] of hosts.entries())
            assertBlocked(rows[i], /--callback-policy public lets no callback go.*; --callback-policy (local|any).* or --callback-allow .* would$/, host);
        assert.equal(canary.connections, 0);
    });

    it('S25: link-local, metadata and unspecified addresses: no option would allow them', async () => {
        const rows = await reach(NEVER);
        for (const [i, host] of NEVER.entries())
            assertBlocked(rows[i], /where callbacks never go and no option would let them$/, host);
        assert.equal(canary.connections, 0);
    });

    it('S25: names of this machine lead nowhere', async () => {
        // Some resolvers know these, and some do not.
        const hosts = ['localhost.', '127.0.0.1.', '①②⑦.⓪.⓪.①', os.hostname(), 'ip6-localhost'];
        const rows = await reach(hosts);
        for (const [i, host] of hosts.entries())
            if (rows[i].outcome === 'failed')
                assert.match(rows[i].error, /the name .* is not known|cannot be called/, host);
            else
                assertBlocked(rows[i], /lets no callback go|never go/, host);
        assert.equal(canary.connections, 0);
    });

    it('S6: other schemes and user info are refused when the job is made', async () => {
        const place = `127.0.0.1:${canary.port}`;
        const urls = [`file://${place}/etc/passwd`, 'file:///etc/passwd', `gopher://${place}/`,
            `dict://${place}/`, `ftp://${place}/`, `http://jane@${place}/`, `http://jane:x@${place}/`,
            `http://93.184.216.34@${place}/`, `http://93.184.216.34:80@${place}/`,
            `http:\\\\${place}\\`, `//${place}/`, `http:/${place}/`, `http:${place}`,
            `http://93.184.216.34#@${place}\\`, `http://\t${place}/`];
        for (const url of urls)
            assertInvalid(await at.api.createJob(job({ callback_url: url })), 'invalid_callback_url',
                'callback_url must be an absolute http or https URL without user info', url);
        assert.equal(canary.connections, 0);
    });

    it('S25: a blocked callback is a line in the log, without path and query', async () => {
        await reach(['127.0.0.1']);
        await callAll(at, [`http://127.0.0.1:${canary.port}/secret-path?token=secret-query`]);
        const line = await until(() => at.server.stderr.split('\n')
            .find((text) => text.includes(`to=http://127.0.0.1:${canary.port}`)));
        assert.match(line, /warn.*a callback was not delivered.*loopback address/i);
        assert.doesNotMatch(at.server.stderr, /secret-/);
    });
});

describe('each policy', () => {
    // Whether 127.0.0.1, a private and a special address are allowed. Of these, only what is not is
    // tried: nobody would answer there.
    const cases = [
        { policy: 'local', here: true, near: true, special: false },
        { policy: 'private', here: false, near: true, special: false },
        { policy: 'public', here: false, near: false, special: false },
        { policy: 'any', here: true, near: true, special: true },
    ];
    for (const { policy, here, near, special } of cases)
        it(`S25: --callback-policy ${policy} lets callbacks go where it says, and nowhere else`, async (t) => {
            const receiver = await receive(t);
            const at = await serveWithPolicy(t, '--callback-policy', policy);
            const refused = new RegExp(`--callback-policy ${policy} lets no callback go`);
            const [row] = await callAll(at, [receiver.url]);
            if (here) assertDelivered(row, receiver.url);
            else assertBlocked(row, refused, receiver.url);
            assert.equal(receiver.requests.length, here ? 1 : 0);
            const others = [[near, 'http://10.255.255.254:1/'], [special, 'http://192.0.2.254:1/'],
                [false, 'http://169.254.169.254/']];
            for (const [allowed, url] of others)
                if (!allowed) assertBlocked((await callAll(at, [url]))[0], /no callback|never/, url);
        });

    it('S25: the default is local while every listener is a loopback address, else private', async (t) => {
        const receiver = await receive(t);
        const local = await serveWithPolicy(t);
        assertDelivered((await callAll(local, [receiver.url]))[0], 'local');
        const open = await serveWithPolicy(t, '--listen', '0.0.0.0:0');
        assertBlocked((await callAll(open, [receiver.url]))[0],
            /--callback-policy private lets no callback go; --callback-policy local or any or/, 'private');
        assert.equal(receiver.requests.length, 1);
    });
});

describe('--callback-allow', () => {
    it('S25: a host is that host alone, at whatever address', async (t) => {
        const receiver = await receive(t);
        const at = await serveWithPolicy(t, '--callback-policy', 'public', '--callback-allow', 'LocalHost');
        const [named, written] = await callAll(at, [`http://localhost:${receiver.port}/`, receiver.url]);
        assertDelivered(named, 'localhost');
        assertBlocked(written, /--callback-allow 127\.0\.0\.1 would/, 'by its address');
        assert.equal(receiver.requests.length, 1);
    });

    it('S25: a network is its addresses alone, by whatever name', async (t) => {
        const receiver = await receive(t, { host: '127.0.0.2' });
        const canary = await keepCanary(t);
        const at = await serveWithPolicy(t, '--callback-policy', 'public',
            '--callback-allow', '127.0.0.2/31', '--callback-allow', '127.0.0.9');
        const [written, other, name] = await callAll(at, [receiver.url,
            `http://127.0.0.4:${canary.port}/`, `http://localhost:${canary.port}/`]);
        assertDelivered(written, '127.0.0.2');
        assertBlocked(other, /loopback/, '127.0.0.4');
        assertBlocked(name, /localhost is at .*--callback-allow localhost would/, 'localhost');
        assert.equal(canary.connections, 0);
    });
});

describe('this server itself', () => {
    it('S25: is never called, by any spelling, under any policy and with everything allowed', async (t) => {
        const at = await serveWithPolicy(t, '--listen', '0.0.0.0:0', '--callback-policy', 'any',
            '--callback-allow', '0.0.0.0/0', '--callback-allow', '::/0', '--callback-allow', 'localhost');
        const { port } = at.server;
        const own = Object.values(os.networkInterfaces()).flat()
            .filter(({ family }) => family === 'IPv4').map(({ address }) => address);
        const hosts = ['127.0.0.1', '127.1', '2130706433', '0x7f.1', '127.9.9.9', 'localhost',
            '[::ffff:127.0.0.1]', '[64:ff9b::7f00:1]', ...own];
        const rows = await callAll(at, hosts.map((host) =>
            `http://${host}:${port}/rest/v1/scenario-studio/jobs`));
        for (const [i, host] of hosts.entries())
            assertBlocked(rows[i], /is this server itself, where callbacks never go and no option/, host);
        assert.equal((await sql(at.file, 'SELECT count(*) AS jobs FROM job'))[0].jobs, hosts.length);
    });

    it('S25: another program on another port of this machine is none of it', async (t) => {
        const receiver = await receive(t);
        const at = await serveWithPolicy(t);
        assertDelivered((await callAll(at, [receiver.url]))[0], receiver.url);
    });
});

describe('redirects', () => {
    for (const status of [301, 302, 303, 307, 308])
        it(`S25: ${status} is a failure, and not followed, to places that are allowed neither`, async (t) => {
            const canary = await keepCanary(t);
            const receiver = await receive(t, { answer: { status,
                headers: { Location: `http://127.0.0.1:${canary.port}/` } } });
            const at = await serveWithPolicy(t);
            const [row] = await callAll(at, [receiver.url]);
            assert.equal(row.outcome, 'failed');
            assert.equal(row.error, `the receiver answered ${status}, and redirects are not followed`);
            assert.equal(canary.connections, 0);
            assert.equal(receiver.requests.length, 1);
        });
});
