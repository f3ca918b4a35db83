/**
 * @generated SignedSource<<d4c5dd921ba358e06f751f6ab8272ada>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type UpdateBlockInput = {
  blockId: string;
  expiresAt?: string | null;
  notes?: string | null;
};
export type inboxRelayActionsUpdateBlockMutation$variables = {
  input: UpdateBlockInput;
};
export type inboxRelayActionsUpdateBlockMutation$data = {
  readonly updateBlock: {
    readonly __typename: string;
  };
};
export type inboxRelayActionsUpdateBlockMutation = {
  response: inboxRelayActionsUpdateBlockMutation$data;
  variables: inboxRelayActionsUpdateBlockMutation$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "input"
  }
],
v1 = [
  {
    "alias": null,
    "args": [
      {
        "kind": "Variable",
        "name": "input",
        "variableName": "input"
      }
    ],
    "concreteType": null,
    "kind": "LinkedField",
    "name": "updateBlock",
    "plural": false,
    "selections": [
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "__typename",
        "storageKey": null
      }
    ],
    "storageKey": null
  }
];
return {
  "fragment": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "inboxRelayActionsUpdateBlockMutation",
    "selections": (v1/*:: as any*/),
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "inboxRelayActionsUpdateBlockMutation",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "4ca7f84ea608def350ab39235ce6a19e",
    "id": null,
    "metadata": {},
    "name": "inboxRelayActionsUpdateBlockMutation",
    "operationKind": "mutation",
    "text": "mutation inboxRelayActionsUpdateBlockMutation(\n  $input: UpdateBlockInput!\n) {\n  updateBlock(input: $input) {\n    __typename\n  }\n}\n"
  }
};
})();

(node as any).hash = "169bbef3974280ee6bce7fcd34c0379e";

export default node;
