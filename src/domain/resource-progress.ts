/** How far a thing done to a resource has come when its request is to be answered. */
export type ResourceProgress =
  | { readonly kind: 'done' }
  /** It takes longer than Vercel waits: Vercel will be told of its end, with the secrets. */
  | { readonly kind: 'goes-on' }
  /** It was given up, and nothing of it is left. The sentence is for the customer. */
  | { readonly kind: 'failed'; readonly message: string }
  /** Something else is being done to the resource: nothing was begun. */
  | { readonly kind: 'busy' }
