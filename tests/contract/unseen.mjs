// The documented answers that live.test.mjs does not make, each with its reason. An answer that is
// documented and neither made nor listed fails that test, and so does one that is made and listed.

const studio = ['createScenarioStudioSession', 'createScenarioJob', 'getScenarioJob',
    'cancelScenarioJob'];
const scenarios = ['listScenarios', 'createScenario', 'getScenario', 'updateScenario',
    'deleteScenario'];
const everywhere = [...studio, ...scenarios, 'openChat', 'showScenario'];
const storageTrouble = ['storage_full', 'storage_busy', 'storage_unavailable', 'overloaded'];

const reasons = [
    {
        reason: 'S3: no option switches a workspace off',
        operations: studio, status: 403, examples: ['workspace_inactive'],
    },
    {
        reason: 'S26: no option asks for a limit',
        operations: studio, status: 429, examples: ['rate_limited'],
    },
    {
        reason: 'H6: no request makes the server fail',
        operations: everywhere, status: 500, examples: ['server_error'],
    },
    {
        reason: 'H6: needs a disk that fails, which the fault tests bring',
        operations: everywhere, status: 503, examples: storageTrouble,
    },
    {
        reason: 'only while the server stops, for a moment that no request can prolong',
        operations: ['getReadiness'], status: 503, examples: ['stopping'],
    },
];

/** ["operationId status example", …] */
export function notSeenLive() {
    return reasons.flatMap(({ operations, status, examples }) =>
        operations.flatMap((operationId) =>
            examples.map((example) => [operationId, status, example].filter(Boolean).join(' '))));
}
