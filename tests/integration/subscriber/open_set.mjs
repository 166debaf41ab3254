// Prints the open warnings of a topic: node open_set.mjs BROKER TOPIC GROUP warnings.schema.json
// Written from the published JSON Schema alone; every record has to be what that says.

import { readFileSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { Kafka, logLevel } from "kafkajs";

const [broker, topic, groupId, schema] = process.argv.slice(2);
const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, allowUnionTypes: true, discriminator: true });
addFormats(ajv);
const valid = ajv.compile(JSON.parse(readFileSync(schema, "utf8")));

const kafka = new Kafka({ brokers: [broker], clientId: groupId, logLevel: logLevel.NOTHING });
const admin = kafka.admin();
await admin.connect();
const ends = new Map(
  (await admin.fetchTopicOffsets(topic)).map((each) => [each.partition, Number(each.high)]),
);
await admin.disconnect();

const left = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition));
const invalid = [];
const newest = new Map();
let records = 0;

const consumer = kafka.consumer({ groupId });
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await new Promise((resolve, reject) => {
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  consumer
    .run({
      eachMessage: async ({ partition, message }) => {
        records += 1;
        take(partition, message);
        if (Number(message.offset) + 1 >= ends.get(partition)) left.delete(partition);
        if (left.size === 0) resolve();
      },
    })
    .catch(reject);
});
await consumer.disconnect();

function take(partition, message) {
  let step;
  try {
    step = JSON.parse(message.value);
  } catch {
    invalid.push({ partition, offset: Number(message.offset), errors: ["not JSON"] });
    return;
  }
  if (!valid(step)) {
    const errors = valid.errors.map((each) => `${each.instancePath} ${each.message}`);
    invalid.push({ partition, offset: Number(message.offset), errors });
    return;
  }
  if (message.key.toString() !== step.subject) throw new Error("the key is not the subject");
  const known = newest.get(step.data.warning_id);
  if (!known || known.data.step < step.data.step) newest.set(step.data.warning_id, step);
}

const open = [...newest.values()].filter((step) => step.data.state === "open" && !step.data.holdout);
console.log(
  JSON.stringify({
    records,
    invalid: invalid.sort((a, b) => a.partition - b.partition || a.offset - b.offset),
    open: Object.fromEntries(open.map((step) => [step.data.customer_id, step.id])),
  }),
);
