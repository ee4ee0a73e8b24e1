import { describe, expect, test } from 'vitest';
import { differences, Document, Types, type Schema } from './schema';

const openapi = new Document('../../api/openapi.yaml');
const asyncapi = new Document('../../../ws/asyncapi.yaml');
const types = new Types('../src/protocol/types.ts', '../src/protocol/frames.ts');

const resources = {
  Order: 'Order',
  Event: 'OrderEvent',
  Decision: 'Decision',
  Courier: 'Courier',
  Fix: 'Fix',
  View: 'View',
  Stats: 'Stats',
  Zone: 'Zone',
  ReplayCourier: 'ReplayCourier',
  ReplayOrder: 'ReplayOrder',
};

test.each(Object.entries(resources))('the resource %s is as the OpenAPI document has it', (schema, type) => {
  expect(differences(openapi, types, openapi.at(`#/components/schemas/${schema}`), types.named(type), 'received', type)).toEqual([]);
});

test('the settings of pages are as the OpenAPI document has them', () => {
  const schema = openapi.at('#/paths/~1v1~1config/get/responses/200/content/application~1json/schema');
  expect(differences(openapi, types, schema, types.named('PageConfig'), 'received', 'PageConfig')).toEqual([]);
});

// What every stream has beside its own frames.
const common: Readonly<Record<string, string>> = { welcome: 'Welcome', error: 'ErrorFrame', beat: 'Beat', auth: 'Auth', resume: 'Resume' };

const channels = [
  { channel: 'courier', received: 'CourierFrame', sent: 'CourierCommand', start: { ...common, resume: 'CourierResume' } },
  { channel: 'track', received: 'TrackFrame', sent: 'Resume', start: common },
  { channel: 'fleet', received: 'FleetFrame', sent: 'FleetView', start: common },
];

describe.each(channels)('/v1/ws/$channel', ({ channel, received, sent, start }) => {
  const operations = Object.values(asyncapi.root['operations'] as Record<string, { action: string; channel: { $ref: string }; messages: Schema[] }>);
  const own = operations.filter((operation) => operation.channel.$ref === `#/channels/${channel}`);
  const messages = own.flatMap(({ action, messages }) =>
    messages.map(({ $ref }) => ({ $ref: $ref!, name: $ref!.split('/').at(-1)!, way: action === 'send' ? ('received' as const) : ('sent' as const) })),
  );

  test.each(messages)('$name is as the AsyncAPI document has it', ({ $ref, name, way }) => {
    const payload = asyncapi.at(`${$ref}/payload`);
    const type = start[name] ? types.named(start[name]) : types.member(way === 'received' ? received : sent, name);
    expect(type, `a type for ${name}`).toBeDefined();
    expect(differences(asyncapi, types, payload, type!, way, name)).toEqual([]);
  });
});
