/* Drives the identify program: one request in, one verdict out; see identify.c for the shapes. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { buildDirectory } from '../../support/config.mjs';

const program = process.env.IDENTIFY ?? path.join(buildDirectory, 'tests/conformance/identify');

export class Identify {
    constructor() {
        this.child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
        this.waiting = [];
        this.ended = new Promise((resolve) => this.child.once('close', resolve));
        createInterface({ input: this.child.stdout }).on('line', (line) =>
            this.waiting.shift().resolve(JSON.parse(line)),
        );
        this.ended.then((code) =>
            this.waiting.forEach(({ reject }) => reject(new Error(`identify ended with ${code}`))),
        );
    }

    ask(request) {
        return new Promise((resolve, reject) => {
            this.waiting.push({ resolve, reject });
            this.child.stdin.write(JSON.stringify(request) + '\n');
        });
    }

    async end() {
        this.child.stdin.end();
        return await this.ended;
    }
}
