// Holds ONNX files against the logits that the product computed, in ONNX Runtime: node compare.js DIR FILE... Last line: JSON.
const fs = require("fs"), path = require("path"), ort = require("onnxruntime-node");
function tensors(file) {
  const bytes = fs.readFileSync(file), length = Number(bytes.readBigUInt64LE(0)), header = JSON.parse(bytes.subarray(8, 8 + length));
  const all = {};
  for (const [name, e] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const part = Uint8Array.from(bytes.subarray(8 + length + e.data_offsets[0], 8 + length + e.data_offsets[1]));
    all[name] = { shape: e.shape, data: new Float32Array(part.buffer) };
  }
  return all;
}
const best = (a, k, i) => { let b = 0; for (let j = 1; j < k; j++) if (a[i * k + j] > a[i * k + b]) b = j; return b; };
(async () => {
  const [dir, ...files] = process.argv.slice(2), s = tensors(path.join(dir, "samples.safetensors")), result = { onnxruntime: require("onnxruntime-node/package.json").version, files: [] };
  const n = s.labels.data.length, k = s.logits.shape[1], scale = s.logits.data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  for (const file of files) {
    const session = await ort.InferenceSession.create(path.join(dir, file));
    const { logits } = await session.run({ pixels: new ort.Tensor("float32", s.pixels.data, s.pixels.shape) });
    const one = await session.run({ pixels: new ort.Tensor("float32", s.pixels.data.slice(0, s.pixels.data.length / n), [1, ...s.pixels.shape.slice(1)]) });
    let difference = 0, hits = 0, ours = 0;
    for (let i = 0; i < n * k; i++) difference = Math.max(difference, Math.abs(logits.data[i] - s.logits.data[i]) / scale);
    for (let i = 0; i < n; i++) { hits += best(logits.data, k, i) === s.labels.data[i]; ours += best(s.logits.data, k, i) === s.labels.data[i]; }
    result.files.push({ file, pictures: n, largestDifference: difference, accuracy: ours / n, accuracyOnnxRuntime: hits / n, batchOfOne: one.logits.dims.join("x") });
  }
  console.log(JSON.stringify(result));
})().catch(e => { console.error(String(e)); process.exit(1); });
