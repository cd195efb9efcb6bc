/*
 * What hello and computePulse cost the host, in instructions: neither more nor less than recorded (instructions.json), so
 * that a change which moves it says so in the same commit.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { RECORD_COMMAND, TOLERANCE, compare, describe as told, measure, recorded } from './instructions.mjs';

/* Another optimisation, sanitizers or another compiler are other instructions. */
const build = fs.readFileSync(path.join(buildDirectory, 'CMakeCache.txt'), 'utf8');
const isRelease = /^CMAKE_BUILD_TYPE:\w+=RelWithDebInfo$/m.test(build) && /^EDGE_SANITIZE:\w+=$/m.test(build) && !/^CMAKE_C_COMPILER:\w+=.*clang/m.test(build);

const options = { timeout: 150000, skip: isRelease ? false : 'the record is of the release build' };
let all;

describe('instructions a request', options, () => {
    before(async () => (all = compare(recorded(), await measure())), options);

    for (const name of Object.keys(recorded()))
        it(`${name}: within 5 % of the record`, options, () => {
            const one = all.find((each) => each.name === name);
            assert.ok(Math.abs(one.change) <= TOLERANCE, `${told(one)}. If that is meant, say why in the commit and write the record anew: ${RECORD_COMMAND}`);
        });
});
