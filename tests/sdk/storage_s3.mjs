/*
 * A stand-in for an S3-compatible service that computes every signature itself (AWS Signature Version 4) and keeps
 * objects in memory.
 */
import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';

export const ACCESS_KEY = 'AKIDEXAMPLE';
export const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
export const REGION = 'eu-west-9';

const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const hmac = (key, data) => createHmac('sha256', key).update(data).digest();
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/* Why a request's signature is not good; null when it is. */
function wrong(request, body) {
    const match = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/
        .exec(request.headers.authorization ?? '');
    if (!match) return `authorization: ${request.headers.authorization}`;
    const [, id, day, region, names, signature] = match;
    if (id !== ACCESS_KEY || region !== REGION) return `credential: ${id} ${region}`;
    const hash = request.headers['x-amz-content-sha256'];
    if (!names.split(';').includes('host') || !names.split(';').includes('x-amz-content-sha256')) return `signed headers: ${names}`;
    if (hash !== sha256(body)) return `content hash ${hash}`;

    const [path, query = ''] = request.url.split('?');
    const canonicalQuery = query.split('&').filter(Boolean)
        .map((pair) => (pair.includes('=') ? pair : `${pair}=`)).sort().join('&');
    const headers = names.split(';').map((name) => `${name}:${(request.headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`).join('');
    const canonical = [request.method, path.split('/').map(decodeURIComponent).map(encode).join('/'), canonicalQuery, headers, names, hash].join('\n');
    const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], `${day}/${region}/s3/aws4_request`, sha256(canonical)].join('\n');
    const key = [day, region, 's3', 'aws4_request'].reduce(hmac, `AWS4${SECRET_KEY}`);
    return hmac(key, text).toString('hex') === signature ? null : `signature of\n${canonical}`;
}

export class ObjectStore {
    constructor() {
        this.objects = new Map(); /* "/bucket/key", decoded */
        this.uploads = new Map();
        this.requests = [];
        this.wrong = [];
        this.next = []; /* statuses of the next answers */
        this.server = http.createServer((request, response) => this.#receive(request, response));
    }

    async start() {
        await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
        this.url = `http://127.0.0.1:${this.server.address().port}`;
        return this;
    }

    stop() {
        this.server.closeAllConnections?.();
        this.server.close();
    }

    async #receive(request, response) {
        const pieces = [];
        for await (const piece of request) pieces.push(piece);
        const body = Buffer.concat(pieces);
        this.requests.push(`${request.method} ${request.url}`);
        const problem = wrong(request, body);
        if (problem) this.wrong.push(problem);
        const status = problem ? 403 : this.next.shift();
        if (status) {
            response.writeHead(status, { 'content-type': 'application/xml' });
            response.end(request.method === 'HEAD' ? undefined : '<Error><Code>AskedFor</Code></Error>');
            return;
        }
        const url = new URL(request.url, this.url);
        this.#serve(request, body, decodeURIComponent(url.pathname), url.searchParams, response);
    }

    #keep(key, body, type) {
        const etag = `"${createHash('md5').update(body).digest('hex')}"`;
        this.objects.set(key, { body, type, etag, modified: new Date() });
        return etag;
    }

    #serve(request, body, key, query, response) {
        const xml = (text) => response.writeHead(200, { 'content-type': 'application/xml' }).end(text);
        const taken = () => request.headers['if-none-match'] === '*' && this.objects.has(key);
        if (request.method === 'GET' && query.get('list-type') === '2') return xml(this.#list(key.slice(1), query));
        if (request.method === 'POST' && query.has('uploads')) {
            const id = `upload+${this.uploads.size}/=`;
            this.uploads.set(id, { type: request.headers['content-type'], parts: [] });
            return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
        }
        if (query.has('uploadId')) return this.#multipart(request, body, key, query, response, xml, taken);
        if (request.method === 'PUT') {
            if (taken()) return response.writeHead(412).end();
            return response.writeHead(200, { etag: this.#keep(key, body, request.headers['content-type']) }).end();
        }
        if (request.method === 'DELETE') {
            this.objects.delete(key);
            return response.writeHead(204).end();
        }
        return this.#read(request, key, response);
    }

    #multipart(request, body, key, query, response, xml, taken) {
        const id = query.get('uploadId'), upload = this.uploads.get(id);
        if (!upload) return response.writeHead(404).end();
        if (request.method === 'PUT') {
            upload.parts[Number(query.get('partNumber')) - 1] = body;
            return response.writeHead(200, { etag: `"${sha256(body)}"` }).end();
        }
        this.uploads.delete(id);
        if (request.method === 'DELETE') return response.writeHead(204).end();
        if (taken()) return response.writeHead(412).end();
        const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>&quot;([0-9a-f]+)&quot;<\/ETag>/g)];
        if (named.length !== upload.parts.length || named.some(([, n, etag], i) => Number(n) !== i + 1 || etag !== sha256(upload.parts[i])))
            return xml('<Error><Code>InvalidPart</Code></Error>');
        const etag = this.#keep(key, Buffer.concat(upload.parts), upload.type).replaceAll('"', '&quot;');
        return xml(`<CompleteMultipartUploadResult><ETag>${etag}</ETag></CompleteMultipartUploadResult>`);
    }

    #read(request, key, response) {
        const object = this.objects.get(key);
        if (!object) return response.writeHead(404, { 'content-type': 'application/xml' }).end(request.method === 'HEAD' ? undefined : '<Error><Code>NoSuchKey</Code></Error>');
        const headers = { 'content-type': object.type, etag: object.etag, 'last-modified': object.modified.toUTCString() };
        const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
        if (!range) return response.writeHead(200, { ...headers, 'content-length': object.body.length }).end(request.method === 'HEAD' ? undefined : object.body);
        const first = Number(range[1]), last = Math.min(range[2] ? Number(range[2]) : Infinity, object.body.length - 1);
        if (first >= object.body.length) return response.writeHead(416).end();
        response.writeHead(206, { ...headers, 'content-range': `bytes ${first}-${last}/${object.body.length}`, 'content-length': last - first + 1 });
        return response.end(object.body.subarray(first, last + 1));
    }

    #list(bucket, query) {
        const prefix = `/${bucket}/${query.get('prefix')}`, after = `/${bucket}/${query.get('start-after') ?? ''}`;
        const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
        const page = keys.slice(0, Number(query.get('max-keys')));
        const item = (key) => `<Contents><Key>${encode(key.slice(bucket.length + 2)).replaceAll('%20', '+').replaceAll('%2F', '/')}</Key><LastModified>${this.objects.get(key).modified.toISOString()}</LastModified><ETag>&quot;x&quot;</ETag><Size>${this.objects.get(key).body.length}</Size></Contents>`;
        return `<ListBucketResult><IsTruncated>${page.length < keys.length}</IsTruncated>${page.map(item).join('')}</ListBucketResult>`;
    }
}
