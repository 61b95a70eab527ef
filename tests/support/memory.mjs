// A server whose memory runs out as a test says, by support/preload_memory.c.

import path from 'node:path';

import { temporaryDirectory } from '../api/client.mjs';
import { sanitizers, shareNumbers } from './faults.mjs';

// In the order of its `struct memory`.
const FIELDS = ['left', 'times', 'hits', 'count', 'live'];

/** For a server that is started with `env`; the rest works while it runs, `get` afterwards too. */
export async function makeMemory(t) {
    const file = path.join(await temporaryDirectory(t), 'memory');
    const { set, get } = shareNumbers(t, file, FIELDS);
    set({ left: -1, times: -1, hits: 0, count: 0, live: 0 });
    // It is asked before a sanitizer's library, whose order is then another than that wants.
    const sanitized = sanitizers(process.env.UNDERSTUDY_BIN);
    const env = { LD_PRELOAD: [process.env.UNDERSTUDY_PRELOAD_MEMORY, ...sanitized].join(':'), MEMORY: file };
    for (const name of ['MEMORY_TRACE']) if (process.env[name]) env[name] = process.env[name];
    if (sanitized.length)
        env.ASAN_OPTIONS = `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`;
    return {
        env, get,
        /** From the nth allocation from now, so many fail; -1: all. */
        fail(nth, times) {
            set({ hits: 0, times, left: nth - 1 });
        },
        /** No more fail; how many did. */
        lift() {
            set({ left: -1 });
            return get('hits');
        },
    };
}
