/*
 * What hello and computePulse cost the host, in instructions: neither more nor less than recorded (instructions.json), so
 * that a change which moves it says so in the same commit.
 */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { RECORD_COMMAND, TOLERANCE, compare, describe as told, measure, recorded } from './instructions.mjs';
import { underSanitizers } from '../sdk/plugin_host.mjs';

const options = { timeout: 150000, skip: underSanitizers ? 'the record is of the release build' : false };
let all;

describe('instructions a request', options, () => {
    before(async () => (all = compare(recorded(), await measure())), options);

    for (const name of Object.keys(recorded()))
        it(`${name}: within 5 % of the record`, options, () => {
            const one = all.find((each) => each.name === name);
            assert.ok(Math.abs(one.change) <= TOLERANCE, `${told(one)}. If that is meant, say why in the commit and write the record anew: ${RECORD_COMMAND}`);
        });
});
