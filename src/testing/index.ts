export type { ContractCase } from './contract-case.ts'
export { driverCall, type DriverCallSettings } from './driver-call.ts'
export { driverContract } from './driver-contract.ts'
export type { DriverUnderTest } from './driver-under-test.ts'
