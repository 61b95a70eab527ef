// The documents' own examples: the bodies of both APIs, and the curl lines of the Scenarios API.

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { temporaryDirectory } from './client.mjs';

export const SESSION_EXAMPLE = {
    user_email: 'jane@acme.com',
    prompt: 'Create a discovery call scenario for enterprise software sales with a skeptical IT director',
    request_id: 'meeting-123-scenario',
};

export const JOB_EXAMPLE = {
    user_email: 'jane@acme.com',
    prompt: 'Create a discovery call scenario with a skeptical IT director who is concerned about '
        + 'integration complexity',
    context: '## Prospect Information\n- Company: TechCorp Inc.\n- Industry: Financial Services\n'
        + '- Size: 500 employees\n- Current pain point: Manual data entry across systems\n',
    request_id: 'salesforce-opp-12345',
    callback_url: 'https://hooks.acme.com/exec-scenarios',
    callback_headers: { Authorization: 'Bearer webhook-secret-token' },
};

export const LIST = 'curl http://localhost:3000/api/projects/PROJECT_ID/scenarios';
export const CREATE = `curl -X POST http://localhost:3000/api/projects/PROJECT_ID/scenarios \\
-H "Content-Type: application/json" \\
-d '{
"name": "booking-cancellation",
"instructions": "Customer wants to cancel a haircut appointment for tomorrow. They have a scheduling conflict. Booking was made 3 days ago with 24h cancellation policy."
}'`;
export const GET = 'curl http://localhost:3000/api/projects/PROJECT_ID/scenarios/987fcdeb-51a2-3bc4-d567-890123456789';
export const UPDATE = `curl -X PUT http://localhost:3000/api/projects/PROJECT_ID/scenarios/987fcdeb-51a2-3bc4-d567-890123456789 \\
-H "Content-Type: application/json" \\
-d '{"instructions": "Customer wants to cancel appointment. VIP customer with flexible policy."}'`;
export const DELETE = 'curl -X DELETE http://localhost:3000/api/projects/PROJECT_ID/scenarios/987fcdeb-51a2-3bc4-d567-890123456789';
export const SAMPLE_ID = '987fcdeb-51a2-3bc4-d567-890123456789';

export const INSTRUCTIONS = 'Customer wants to cancel a haircut appointment for tomorrow. They have a scheduling '
    + 'conflict. Booking was made 3 days ago with 24h cancellation policy.';

export const SCENARIO_EXAMPLE = {
    name: 'booking-cancellation',
    instructions: INSTRUCTIONS,
    maxMessages: 10,
    successCriteria: 'Agent confirms cancellation',
    failureCriteria: 'Agent fails to process',
    failureCriteriaMode: 'on_max_messages',
    messages: [
        { role: 'user', content: 'Hi, I need to cancel my appointment' },
        { role: 'assistant', content: 'I\'d be happy to help. Can you provide your booking reference?' },
    ],
};

export const SCENARIO_CHANGE = { instructions: 'Customer wants to cancel appointment. VIP customer with flexible policy.',
    maxMessages: 15, messages: [{ role: 'user', content: 'Hi, I need to cancel' }] };

/**
 * Runs a document's line in a shell, with only the port changed; a configuration file makes curl tell
 * the status after the body. Resolves to [status, body].
 */
export async function curlIn(t, port) {
    const home = await temporaryDirectory(t);
    await writeFile(path.join(home, '.curlrc'),
        'silent\nshow-error\nnoproxy = "*"\nmax-time = 60\nwrite-out = "\\n%{http_code}"\n');
    return async (line) => {
        const { stdout } = await promisify(execFile)('sh',
            ['-c', line.replace('localhost:3000', `localhost:${port}`)],
            { env: { ...process.env, CURL_HOME: home } });
        const end = stdout.lastIndexOf('\n');
        return [Number(stdout.slice(end + 1)), stdout.slice(0, end)];
    };
}
