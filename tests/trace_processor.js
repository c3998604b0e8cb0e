// Perfetto's trace processor as its own UI runs it: messages of its protocol from standard input, answers to standard output.
// What it is made of is a web worker; here it gets what a worker has, and nothing that Node has.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const folder = process.argv[2];
const fetched = (name) => fs.readFileSync(path.join(folder, path.basename(String(name))));
const silent = () => undefined;

class XMLHttpRequest {
  open(_method, name) {
    this.name = name;
  }
  send() {
    const bytes = fetched(this.name);
    this.response = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  }
}
const worker = vm.createContext({
  console: { log: silent, warn: silent, error: silent, info: silent, debug: silent },
  TextDecoder, TextEncoder, URL, performance, crypto, setTimeout, clearTimeout, XMLHttpRequest,
  WorkerGlobalScope: class {},
  location: { href: "http://localhost/engine_bundle.js" },
});
vm.runInContext("self = globalThis", worker);
vm.runInContext(fetched("engine_bundle.js").toString(), worker);

const port = {
  postMessage: (answer) => {
    for (let at = 0; at < answer.length; ) at += fs.writeSync(1, answer, at);
  },
};
const Bytes = vm.runInContext("Uint8Array", worker);
setTimeout(() => { // what waits for the end of its start comes first
  worker.onmessage({ data: port });
  process.stdin.on("data", (chunk) => port.onmessage({ data: new Bytes(chunk) }));
});
