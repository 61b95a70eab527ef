// A client as people write them, which knows nothing of the server under it: it makes a job, asks every
// five seconds until that has ended, and prints how it ended and what it saw on the way.

const [base, key] = process.argv.slice(2);
const INTERVAL_MS = 5000;

const call = async (path, init = {}) => {
    const answer = await fetch(`${base}/scenario-studio/jobs${path}`,
        { ...init, headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' } });
    return answer.json();
};

let job = await call('', { method: 'POST',
    body: JSON.stringify({ user_email: 'jane@acme.com', prompt: 'Practice a renewal call' }) });
const seen = [];
for (;;) {
    job = await call(`/${job.id}`);
    seen.push(job.status);
    if (!['queued', 'processing'].includes(job.status)) break;
    await new Promise((resolve) => { setTimeout(resolve, INTERVAL_MS); });
}
console.log(JSON.stringify({ seen, job }));
