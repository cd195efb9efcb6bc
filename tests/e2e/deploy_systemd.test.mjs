/*
 * Under systemd: what the host tells a service manager, the socket and the credentials that it takes from one, and whether
 * systemd takes the units. A manager's ends of the sockets are Perl's, which every Debian has.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { after, describe, it } from 'node:test';

import { buildDirectory, root } from '../support/config.mjs';
import { eventually, freePort, startHost } from '../support/host.mjs';
import { binary, runEdge, runProgram } from '../support/program.mjs';

const options = { timeout: 120000 };
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-systemd-'));
const unit = (name) => path.join(root, 'deploy', 'systemd', name);
const built = path.join(buildDirectory, 'tests', 'plugins');

const children = [];
after(() => {
    for (const child of children) child.kill();
    fs.rmSync(directory, { recursive: true, force: true });
});

/* Prints each datagram that comes to a socket as one line. */
const MANAGER = `$| = 1; my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die $!;
    print "open\\n"; while (defined $socket->recv(my $text, 4096)) { $text =~ s/\\n/ /g; print "$text\\n" }`;

async function startManager() {
    const socket = path.join(directory, 'notify');
    const child = spawn('perl', ['-MIO::Socket::UNIX', '-e', MANAGER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    const heard = [];
    children.push(child);
    readline.createInterface({ input: child.stdout }).on('line', (line) => heard.push(line));
    await eventually(() => heard.shift() === 'open', 'the socket');
    return { child, socket, heard };
}

const words = (heard) => heard.map((line) => line.split(' ')[0]).filter((word) => word !== 'WATCHDOG=1');

/* Opens a listening socket as descriptor 3, and runs a host on it for each line of its input; says its end. */
const ACTIVATOR = `$| = 1; $^F = 9; my ($port, @command) = @ARGV;
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 128, ReuseAddr => 1) or die $!;
    POSIX::dup2(fileno($socket), 3) if fileno($socket) != 3;
    while (<STDIN>) {
        my $child = fork;
        if ($child == 0) { $ENV{LISTEN_FDS} = 1; $ENV{LISTEN_PID} = $$; exec @command }
        print "began $child\\n"; waitpid $child, 0; print "ended $?\\n";
    }`;

describe('a service manager', options, () => {
    it('is told of a start, a reload, an upgrade and a stop, and that the host is alive', options, async () => {
        const manager = await startManager(), plugins = path.join(directory, 'plugins');
        fs.mkdirSync(plugins);
        fs.copyFileSync(path.join(built, 'hello.so'), path.join(plugins, 'hello.so'));
        const host = await startHost({
            functions: { hello: { auth: 'public' } }, sandbox: false, readyPath: '/_edge/live',
            server: { plugins, workers: 2, drain_timeout: '2s' },
            env: { NOTIFY_SOCKET: manager.socket, WATCHDOG_USEC: '100000', XDG_RUNTIME_DIR: directory },
        });
        const control = { env: { XDG_RUNTIME_DIR: directory } }, config = ['--config', path.join(host.directory, 'functions.toml')];
        try {
            await eventually(() => words(manager.heard).length === 1, 'the start');
            assert.match(manager.heard.find((line) => line.startsWith('READY=1')), /^READY=1 STATUS=2 workers serve at 127\.0\.0\.1:\d+$/);
            await eventually(() => manager.heard.filter((line) => line === 'WATCHDOG=1').length > 2, 'signs of life');

            fs.appendFileSync(path.join(host.directory, 'functions.toml'), '\n[functions.hello2]\nplugin = "hello"\nauth = "public"\n');
            await eventually(() => words(manager.heard).length === 3, 'a reload');
            assert.match(manager.heard.find((line) => line.startsWith('RELOADING=1')), /^RELOADING=1 MONOTONIC_USEC=\d+$/);

            const { status, stderr } = await runEdge(['upgrade', ...config], { cwd: directory, ...control });
            assert.equal(status, 0, stderr);
            await eventually(() => words(manager.heard).length === 5, 'an upgrade', 20000);
        } finally {
            await host.stop();
        }
        await eventually(() => words(manager.heard).length === 6, 'the stop');
        assert.deepEqual(words(manager.heard), ['READY=1', 'RELOADING=1', 'READY=1', 'RELOADING=1', 'READY=1', 'STOPPING=1']);
    });

    it('keeps the listening socket: a restart loses no call', options, async () => {
        const port = await freePort(), config = path.join(directory, 'functions.toml'), output = [];
        fs.writeFileSync(config, `[server]\nlisten = "127.0.0.1:1"\nplugins = "${built}"\nworkers = 1\n[functions.hello]\nauth = "public"\n`);
        const activator = spawn('perl', ['-MIO::Socket::INET', '-MPOSIX', '-e', ACTIVATOR, port, binary, 'serve', '--config', config],
            { env: { ...process.env, XDG_RUNTIME_DIR: directory }, stdio: ['pipe', 'pipe', 'pipe'] });
        readline.createInterface({ input: activator.stdout }).on('line', (line) => output.push(line));
        activator.stderr.on('data', (data) => output.push(String(data)));
        children.push(activator);
        const said = (word) => output.filter((line) => line.startsWith(word));
        const answers = [];
        let going = true;
        const caller = async () => {
            while (going) answers.push(await fetch(`http://127.0.0.1:${port}/functions/v1/hello`, { method: 'POST', headers: { connection: 'close' } }).then(({ status }) => status, String));
        };
        try {
            activator.stdin.write('\n');
            await eventually(() => said('listening on').length === 1, 'the first host').catch(() => assert.fail(output.join('\n')));
            assert.equal(said('listening on')[0], `listening on http://127.0.0.1:${port}`);
            const callers = [caller(), caller()];
            await eventually(() => answers.length > 10, 'calls');
            process.kill(Number(said('began')[0].split(' ')[1]), 'SIGTERM');
            await eventually(() => said('ended').length === 1, 'the end of the first host', 20000);
            assert.equal(said('ended')[0], 'ended 0', output.join('\n'));
            const before = answers.length;
            activator.stdin.write('\n');
            await eventually(() => answers.length > before + 10, 'calls at the second host', 20000);
            going = false;
            await Promise.all(callers);
            assert.deepEqual(answers.filter((status) => status !== 200), []);
        } finally {
            going = false;
            for (const line of said('began').slice(said('ended').length)) process.kill(Number(line.split(' ')[1]), 'SIGTERM');
            activator.stdin.end();
            await new Promise((resolve) => activator.on('exit', resolve));
        }
    });

    it('may hand over variables as files', options, async () => {
        const credentials = path.join(directory, 'credentials'), config = path.join(directory, 'credentials.toml');
        fs.mkdirSync(credentials);
        fs.writeFileSync(config, `[server]\nplugins = "${built}"\n[functions.hello]\nauth = "public"\nenv = ["SET", "FILE_ONLY", "LONG", "ZERO"]\n`);
        for (const [name, text] of [['SET', 'from the file\n'], ['FILE_ONLY', 'secret\n'], ['lower', 'x'], ['LONG', 'x'.repeat(65537)], ['ZERO', 'a\0b']])
            fs.writeFileSync(path.join(credentials, name), text);
        const { stdout, stderr } = await runEdge(['env', '--json', '--config', config], { cwd: directory, env: { CREDENTIALS_DIRECTORY: credentials, SET: 'before' } });
        const isSet = Object.fromEntries(JSON.parse(stdout).map((variable) => [variable.variable, variable.set]));
        assert.deepEqual([isSet.SET, isSet.FILE_ONLY, isSet.LONG, isSet.ZERO], [true, true, false, false], stdout);
        assert.match(stderr, /the credential "LONG" is left out: it is longer than 64 KiB/);
        assert.match(stderr, /the credential "ZERO" is left out: it holds a zero byte/);
        assert.doesNotMatch(stderr, /lower/);
    });
});

describe('the units', options, () => {
    it('are taken by systemd', options, async () => {
        const service = path.join(directory, 'pulse-edge.service'), socket = path.join(directory, 'pulse-edge.socket');
        fs.writeFileSync(service, fs.readFileSync(unit('pulse-edge.service'), 'utf8').replaceAll('=edge ', `=${binary} `));
        fs.copyFileSync(unit('pulse-edge.socket'), socket);
        const { status, stderr } = await runProgram('systemd-analyze', ['verify', '--man=no', service, socket], { cwd: directory });
        assert.notEqual(status, 'ENOENT', 'there is no systemd-analyze; run scripts/setup --tests');
        assert.equal(stderr.split('\n').filter((line) => line.includes('pulse-edge')).join('\n'), '');
    });

    it('leave a host little to break: an exposure of at most 1.5 of 10', options, () => {
        execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', '--threshold=15', unit('pulse-edge.service')], { stdio: 'pipe' });
    });
});
