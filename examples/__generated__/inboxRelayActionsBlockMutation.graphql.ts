/**
 * @generated SignedSource<<aceec4801d89fc595d187f9a41c4ec43>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type BlockContactInput = {
  channelId?: string | null;
  contactChannelId?: string | null;
  contactId: string;
  expiresAt?: string | null;
  notes?: string | null;
};
export type inboxRelayActionsBlockMutation$variables = {
  input: BlockContactInput;
};
export type inboxRelayActionsBlockMutation$data = {
  readonly blockContact: {
    readonly __typename: string;
  };
};
export type inboxRelayActionsBlockMutation = {
  response: inboxRelayActionsBlockMutation$data;
  variables: inboxRelayActionsBlockMutation$variables;
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
    "name": "blockContact",
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
    "name": "inboxRelayActionsBlockMutation",
    "selections": (v1/*:: as any*/),
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "inboxRelayActionsBlockMutation",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "c573378453a2c666163bdbd84bd36b0d",
    "id": null,
    "metadata": {},
    "name": "inboxRelayActionsBlockMutation",
    "operationKind": "mutation",
    "text": "mutation inboxRelayActionsBlockMutation(\n  $input: BlockContactInput!\n) {\n  blockContact(input: $input) {\n    __typename\n  }\n}\n"
  }
};
})();

(node as any).hash = "bfbe255d59ab9463368814d0d77e29e3";

export default node;
