// The vocabulary of the wire: byte codes, encoders, decoders. Exports only.
export * from "./codes.ts";
export * from "./decode.ts";
export * from "./encode.ts";
