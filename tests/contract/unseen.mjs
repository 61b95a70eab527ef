// The documented answers that live.test.mjs does not make, each with its reason. An answer that is
// documented and neither made nor listed fails that test, and so does one that is made and listed.

const studio = ['createScenarioStudioSession', 'createScenarioJob', 'getScenarioJob',
    'cancelScenarioJob'];
const scenarios = ['listScenarios', 'createScenario', 'getScenario', 'updateScenario',
    'deleteScenario'];
const control = ['listWorkspaces', 'createWorkspace', 'getWorkspace', 'ensureWorkspace',
    'updateWorkspace', 'deleteWorkspace', 'listKeys', 'createKey', 'updateKey', 'deleteKey',
    'listMembers', 'createMember', 'deleteMember', 'getSettings', 'updateSettings',
    'getClock', 'setClock', 'advanceClock', 'createSourceScenario', 'listJobs', 'getJob',
    'transitionJob', 'releaseJob', 'waitUntilSettled', 'verifyRequests', 'listRules', 'createRule', 'deleteRules',
    'getRule', 'deleteRule', 'getState', 'replaceState', 'resetWorkspace', 'listWebhooks',
    'getWebhook', 'redeliverWebhook', 'releaseWebhook', 'listInbox', 'postToInbox', 'emptyInbox',
    'getInboxReplies', 'setInboxReplies', 'listRequests', 'deleteRequests', 'getRequest',
    'getTimeline', 'getJobTimeline', 'getMetrics', 'listFindings'];
const waits = ['listJobs', 'getJob', 'waitUntilSettled', 'listRules', 'getRule', 'listWebhooks',
    'getWebhook', 'redeliverWebhook', 'releaseWebhook', 'listInbox', 'listRequests', 'verifyRequests'];
const everywhere = [...studio, ...scenarios, 'openChat', 'showScenario', ...control];
const storageTrouble = ['storage_full', 'storage_busy', 'storage_unavailable', 'overloaded'];

const reasons = [
    {
        reason: 'H6: no request makes the server fail',
        operations: [...everywhere, 'listEvents', 'getReport'], status: 500, examples: ['server_error'],
    },
    {
        reason: 'H6: needs a disk that fails, which the fault tests bring',
        operations: everywhere, status: 503, examples: storageTrouble,
    },
    {
        reason: 'C9: the server stops, or the workspace goes, while a request waits: see '
            + 'tests/api/control_waits.test.mjs',
        operations: waits, status: 503, examples: ['stopping'],
    },
    {
        reason: 'likewise',
        operations: waits, status: 409, examples: ['workspace_deleted', 'workspace_reset'],
    },
    {
        reason: 'needs an advance that waits for a receiver: see tests/api/webhook_clock.test.mjs',
        operations: ['advanceClock'], status: 409, examples: ['workspace_reset'],
    },
    {
        reason: 'C5: it tells a time, which is another one each time',
        operations: ['getJob', 'getWebhook'], status: 409, examples: ['wait_impossible'],
    },
    {
        reason: 'an attempt that lasts five minutes',
        operations: ['redeliverWebhook', 'releaseWebhook'], status: 409,
        examples: ['wait_expired'],
    },
    {
        reason: 'needs a job that is held',
        operations: ['releaseJob'], status: 200, examples: ['released'],
    },
    {
        reason: 'needs an advance that lasts, which the clock\'s own tests have',
        operations: ['setClock', 'advanceClock', 'replaceState', 'resetWorkspace'], status: 409,
        examples: ['clock_busy'],
    },
    {
        reason: 'needs requests that do not end; see tests/api/control_reset.test.mjs',
        operations: ['resetWorkspace'], status: 409, examples: ['wait_expired', 'workspace_deleted'],
    },
    {
        reason: 'they count what else came to the server, or take ten thousand requests: see '
            + 'tests/api/verify.test.mjs and verify_unknown.test.mjs',
        operations: ['verifyRequests'], status: 409,
        examples: ['none_came', 'rules_unused', 'journal_truncated'],
    },
    {
        reason: 'H3: a state may have 256 MiB; see tests/api/control_state.test.mjs',
        operations: ['createWorkspace', 'ensureWorkspace', 'replaceState'], status: 413,
        examples: ['payload_too_large'],
    },
    {
        reason: 'the example shows two of many, and outcomes.test.mjs looks at all',
        operations: ['listOutcomes'], status: 200, examples: ['some'],
    },
    {
        reason: 'likewise; tests/api/report.test.mjs looks at all',
        operations: ['getReport'], status: 200, examples: ['report'],
    },
    {
        reason: 'only while the server stops, for a moment that no request can prolong, or while its disk is full',
        operations: ['getReadiness'], status: 503, examples: ['stopping', 'storageFull'],
    },
];

/** ["operationId status example", …] */
export function notSeenLive() {
    return reasons.flatMap(({ operations, status, examples }) =>
        operations.flatMap((operationId) =>
            examples.map((example) => [operationId, status, example].filter(Boolean).join(' '))));
}
