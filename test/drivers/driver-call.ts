export { driverCall } from '../../src/testing/driver-call.ts'
