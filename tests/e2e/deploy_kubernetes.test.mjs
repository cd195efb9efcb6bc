/*
 * The manifests of deploy/kubernetes: valid by Kubernetes' own schemas, and agreeing with one another, with the images and
 * with the host.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';

import { parseAllDocuments } from 'yaml';

import { buildDirectory, root } from '../support/config.mjs';
import { startHost } from '../support/host.mjs';
import { runEdge } from '../support/program.mjs';

const options = { timeout: 60000 };
const directory = path.join(root, 'deploy', 'kubernetes');
const containerfiles = ['Containerfile', 'project.Containerfile'].map((name) => fs.readFileSync(path.join(root, 'deploy', 'container', name), 'utf8'));
const require = createRequire(import.meta.url);

/* Mistakes of YAML (a key twice, a tab) are errors. */
function read(file) {
    return parseAllDocuments(fs.readFileSync(path.join(directory, file), 'utf8'), { uniqueKeys: true }).map((document) => {
        assert.deepEqual([...document.errors, ...document.warnings], [], file);
        return document.toJS();
    });
}

const files = fs.readdirSync(directory).filter((name) => name !== 'kustomization.yaml');
const all = files.flatMap(read);
const one = (kind) => all.find((object) => object.kind === kind);
const deployment = one('Deployment'), pod = deployment.spec.template, [container] = pod.spec.containers;
const [migration] = one('Job').spec.template.spec.containers;

/* The class of a kind, whose schema is made from Kubernetes' OpenAPI description. */
function model({ apiVersion, kind }) {
    const group = apiVersion.startsWith('monitoring.') ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models';
    return require(`${group}/${apiVersion}/${kind}`)[kind];
}

async function milliseconds(key) {
    const { stdout } = await runEdge(['config', 'keys'], { cwd: os.tmpdir() });
    const [, amount, unit] = new RegExp(`^${key}\\s+(\\d+)(ms|s)\\b`, 'm').exec(stdout);
    return Number(amount) * (unit === 's' ? 1000 : 1);
}

describe('kubernetes', options, () => {
    it('manifests are valid by their schemas', options, () => {
        assert.equal(all.length, files.length);
        for (const object of all) {
            const Model = model(object);
            new Model(object).validate();
            assert.throws(() => new Model({ ...object, spec: 'none' }).validate(), object.kind);
        }
    });

    it('kustomization.yaml names those that are applied again and again', options, () => {
        const [{ resources }] = read('kustomization.yaml');
        assert.deepEqual([...resources].sort(), files.filter((name) => !['migrate.yaml', 'monitor.yaml'].includes(name)).sort());
    });

    it('what selects hosts selects the Deployment\'s pods, and those only', options, () => {
        const selectors = [deployment.spec.selector.matchLabels, one('Service').spec.selector, one('PodDisruptionBudget').spec.selector.matchLabels, pod.spec.topologySpreadConstraints[0].labelSelector.matchLabels];
        const selects = (selector, labels) => Object.entries(selector).every(([name, value]) => labels[name] === value);
        for (const selector of selectors) {
            assert.ok(selects(selector, pod.metadata.labels));
            assert.ok(!selects(selector, one('Job').spec.template.metadata.labels));
        }
        const { podSelector, ingress } = one('NetworkPolicy').spec;
        assert.ok(selects(podSelector.matchLabels, pod.metadata.labels));
        assert.deepEqual(ingress[0].ports.map(({ port }) => port), [container.ports[0].containerPort]);
        assert.equal(one('HorizontalPodAutoscaler').spec.scaleTargetRef.name, deployment.metadata.name);
        assert.ok(selects(one('ServiceMonitor').spec.selector.matchLabels, one('Service').metadata.labels));
        assert.equal(deployment.spec.replicas, undefined, 'the autoscaler\'s');
    });

    it('callers reach functions and signed URLs, and none of the hosts\' own pages', options, () => {
        const paths = one('Ingress').spec.rules.flatMap(({ http }) => http.paths.map((entry) => entry.path));
        assert.deepEqual(paths, ['/functions/v1/', '/storage/v1/']);
    });

    it('a pod has longer to stop than its host needs', options, async () => {
        const leaves = Number(container.lifecycle.preStop.exec.command[1]) * 1000;
        assert.ok(pod.spec.terminationGracePeriodSeconds * 1000 > leaves + (await milliseconds('server.drain_timeout')) + 1000);
    });

    it('probes and Prometheus ask for pages that a host has', options, async () => {
        const host = await startHost({ functions: { hello: { auth: 'public' } }, sandbox: false, readyPath: '/_edge/live', server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1 } });
        try {
            const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((name) => container[name].httpGet.path);
            for (const target of [...probes, pod.metadata.annotations['prometheus.io/path'], one('ServiceMonitor').spec.endpoints[0].path])
                assert.equal((await fetch(host.url + target)).status, 200, target);
        } finally {
            await host.stop();
        }
    });

    it('containers may do little, and find what the images expect', options, () => {
        for (const [spec, its] of [[pod.spec, container], [one('Job').spec.template.spec, migration]]) {
            assert.deepEqual([spec.securityContext.runAsNonRoot, spec.securityContext.seccompProfile.type, spec.automountServiceAccountToken], [true, 'RuntimeDefault', false]);
            assert.deepEqual(its.securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
            assert.ok(its.resources.limits.memory);
            const volumes = spec.volumes.map(({ name }) => name);
            assert.deepEqual(its.volumeMounts.map(({ name }) => name).filter((name) => !volumes.includes(name)), []);
            assert.ok(its.volumeMounts.every(({ subPath }) => subPath === undefined));
        }
        const mounted = container.volumeMounts.map(({ mountPath }) => mountPath);
        for (const text of containerfiles) {
            assert.match(text, new RegExp(`^USER ${pod.spec.securityContext.runAsUser}$`, 'm'));
            assert.match(text, /^EXPOSE 8000$/m);
            for (const [, place] of text.matchAll(/(?:EDGE_STATE_DIR|XDG_RUNTIME_DIR)=(\S+)/g)) assert.ok(mounted.includes(place), place);
            const command = JSON.parse(/^CMD (\[.*\])$/m.exec(text)[1]);
            assert.deepEqual(container.args.slice(0, command.length), command);
        }
    });
});
