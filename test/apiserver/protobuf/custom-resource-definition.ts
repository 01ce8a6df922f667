import { join } from 'node:path';
import { loadSync } from '@grpc/proto-loader';
import type { MessageTypeDefinition } from '@grpc/proto-loader';
import { bytesField, textField } from '../../../apiserver/protobuf/wire-writer.ts';

const messages = loadSync(join(import.meta.dirname, 'custom-resource-definition.proto'), { keepCase: true });
const { serialize } = messages['CustomResourceDefinition'] as MessageTypeDefinition<object, object>;

/** A CustomResourceDefinition as Go's clients send it, from its message (which isn't its JSON: see the .proto file). */
export const encodeDefinition = (message: object): Buffer =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    bytesField(1, [textField(1, 'apiextensions.k8s.io/v1'), textField(2, 'CustomResourceDefinition')]),
    bytesField(2, [serialize(message)]),
    textField(3, ''),
    textField(4, ''),
  ]);

/** The JSON message of a value. */
export const json = (value: unknown) => ({ raw: Buffer.from(JSON.stringify(value)) });
