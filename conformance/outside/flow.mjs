// Drives kaigofhir's main job with a FHIR client written by others: files in,
// what each organisation can pull out, before consent, after it, and after its
// withdrawal. Reads one JSON object from standard input (World.Outside in
// cmd/kaigofhir/internal/demo makes it), prints the tables as JSON.
import { Client } from 'fhir-kit-client';
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const world = JSON.parse(await readFile('/dev/stdin', 'utf8'));

const base64url = (value) => Buffer.from(value).toString('base64url');

// token asks the token endpoint by SMART Backend Services.
// https://hl7.org/fhir/smart-app-launch/backend-services.html
async function token({ client, jwk }) {
  const now = Math.floor(Date.now() / 1000);
  const header = base64url(JSON.stringify({ alg: 'ES384', typ: 'JWT', kid: jwk.kid }));
  const claims = base64url(JSON.stringify({
    iss: client, sub: client, aud: world.tokenURL, exp: now + 240, iat: now, jti: randomUUID(),
  }));
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  const signature = sign('sha384', Buffer.from(`${header}.${claims}`), { key, dsaEncoding: 'ieee-p1363' });
  const response = await fetch(world.tokenURL, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: client.startsWith('person') ? 'patient/*.cruds' : 'system/*.cruds',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: `${header}.${claims}.${base64url(signature)}`,
    }),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(`token for ${client}: ${response.status} ${JSON.stringify(body)}`);
  return body.access_token;
}

const tokens = {};
async function as(name) {
  tokens[name] ??= await token(world.clients[name]);
  return new Client({ baseUrl: world.base, bearerToken: tokens[name] });
}

async function intake(name, paths) {
  await as(name);
  const form = new FormData();
  for (const path of paths) form.append('file', new Blob([await readFile(path)]), basename(path));
  const response = await fetch(`${world.base}/$intake`, {
    method: 'POST', body: form, headers: { authorization: `Bearer ${tokens[name]}` },
  });
  if (!response.ok) throw new Error(`intake by ${name}: ${response.status} ${await response.text()}`);
}

const count = (bundle) => (bundle.entry ?? []).filter((e) => e.search?.mode === 'match').length;

async function table(patient) {
  const cells = {};
  for (const name of world.columns) {
    const client = await as(name);
    for (const { form, resourceType } of world.probes) {
      let found = {};
      try {
        found = await client.search({
          resourceType, searchParams: { patient, _security: `${world.formSystem}|${form}` },
        });
      } catch (problem) {
        if (problem.response?.status !== 403) throw problem; // 403: not even the scope to ask
      }
      cells[`${form}/${resourceType}/${name}`] = count(found);
    }
  }
  return cells;
}

const operator = await as('operator');
const capability = await operator.capabilityStatement();
if (capability.fhirVersion !== '4.0.1') throw new Error(`fhirVersion ${capability.fhirVersion}`);

for (const body of world.organizations) {
  await operator.update({ resourceType: 'Organization', id: body.id, body });
}
await intake(world.insurer, world.files.insuredCard);

const insurer = await as(world.insurer);
const [system, value] = world.patient;
const people = await insurer.search({ resourceType: 'Patient', searchParams: { identifier: `${system}|${value}` } });
if (count(people) !== 1) throw new Error(`found ${count(people)} patients of the insured card`);
const patient = people.entry[0].resource.id;

// The person's own client is bound to the Patient, so it is registered now; the
// server reads the file again within seconds.
const registered = JSON.parse(await readFile(world.clientsFile, 'utf8'));
registered.clients.push({ ...world.person, patient });
await writeFile(world.clientsFile, JSON.stringify(registered));
for (let attempt = 0; ; attempt++) {
  try { await as('person'); break; } catch (problem) {
    if (attempt > 50) throw problem;
    await sleep(200);
  }
}

for (const body of world.relations) {
  await insurer.create({ resourceType: 'EpisodeOfCare', body: { ...body, patient: { reference: `Patient/${patient}` } } });
}
for (const { by, paths } of world.files.records) await intake(by, paths);

const tables = [await table(patient)];
const consents = [];
for (const { by, body } of world.consents) {
  const client = await as(by);
  consents.push({ by, stored: await client.create({
    resourceType: 'Consent', body: { ...body, patient: { reference: `Patient/${patient}` } },
  }) });
}
tables.push(await table(patient));
const person = await as('person');
for (const { stored } of consents) {
  await person.update({ resourceType: 'Consent', id: stored.id, body: { ...stored, status: 'inactive' } });
}
tables.push(await table(patient));
process.stdout.write(JSON.stringify({ patient, tables }));
